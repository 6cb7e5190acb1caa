#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/status.h"
#include "core/thread_pool.h"
#include "image/interpolation.h"
#include "image/pixel_decoder.h"

namespace sakedge {

// Overlapping tiles along one axis of a picture.
struct TileAxis {
  Index length = 0;            // of the picture
  Index tile = 0;              // length of a tile
  std::vector<Index> starts;   // first pixel of each tile, ascending
  std::vector<float> weights;  // [tiles, tile]; at each pixel those of all tiles sum to one

  Index count() const { return static_cast<Index>(starts.size()); }
};

// What a head said about one tile: its map [map height * map width, classes], borrowed.
struct TileMap {
  Index row = 0;  // place in the grid of tiles
  Index column = 0;
  const float* map = nullptr;
};

// Puts the maps of overlapping tiles together and decodes what results, in bands of rows.
//
// A pixel's logits are the weighted sum of those of all tiles over it. They exist for one band of
// rows at a time, in a worker's memory: what is kept of a tile is its map, a sixteenth of its
// pixels.
class Mosaic {
 public:
  // `map` and `input` are the sizes of a tile's map and of the student's input, on which a tile
  // lies centred, with offset difference / 2. Fails with kInvalid where sizes contradict each
  // other.
  static Expected<std::unique_ptr<Mosaic>> make(const cpu::KernelTable& kernels,
                                                std::shared_ptr<ThreadPool> pool, Size map,
                                                Size input, TileAxis rows, TileAxis columns);

  // Decodes picture rows [begin, end) into `out`, which begins with row `begin`. `tiles` hold every
  // tile over those rows; fails with kInvalid if one is missing. Throws std::bad_alloc.
  Status decode(std::span<const TileMap> tiles, Index classes, const PixelDecoder& decoder,
                Index begin, Index end, void* out) const;

  Size picture() const { return {rows_.length, columns_.length}; }
  Size map() const { return map_; }
  Size grid() const { return {rows_.count(), columns_.count()}; }

 private:
  struct Band;

  Mosaic(const cpu::KernelTable& kernels, std::shared_ptr<ThreadPool> pool, Size map, Size input,
         TileAxis rows, TileAxis columns);

  void blend(const TileMap& tile, Index classes, const Band& band, float* scratch) const;

  const cpu::KernelTable& kernels_;
  std::shared_ptr<ThreadPool> pool_;
  Size map_;
  TileAxis rows_;
  TileAxis columns_;
  Samples samples_;  // of a tile's pixels on its map
};

}  // namespace sakedge
