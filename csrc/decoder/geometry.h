#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/index.h"
#include "core/status.h"
#include "image/window.h"

namespace sakedge {

// What parts are packed for (docs/model.md, section 1): the size of images does not matter to them.
struct StemShape {
  Index channels = 0;         // C
  Index blocks = 0;           // D; the stem gives x0 ... xD
  std::vector<Index> levels;  // ascending block indices; level l reads x[l + 1]

  Index level_count() const { return static_cast<Index>(levels.size()); }
  // The last stage, an index of x, that a level reads.
  Index stage(Index level) const { return levels[static_cast<std::size_t>(level)] + 1; }
  std::string text() const;

  friend bool operator==(const StemShape&, const StemShape&) = default;
};

// Sizes that all of a student shares.
struct Geometry : StemShape {
  Index grid_height = 0;  // patch tokens
  Index grid_width = 0;
  Size input;  // pixels

  // Fails with kInvalid where sizes contradict each other or are more than a manifest may give.
  static Expected<Geometry> make(StemShape stem, Size grid, Size input);

  Index tokens() const { return grid_height * grid_width; }
  // Of a head, (H/4, W/4).
  Size map() const {
    return {std::max<Index>(1, input.height / 4), std::max<Index>(1, input.width / 4)};
  }
};

// Tokens that one call of a kernel handles, at most. A tile of ViT-B's residuals is 0.2 MB for each
// adapter: one adapter's stay in the second-level cache while its weights pass.
inline constexpr Index kTokenTile = 64;

// As many as a manifest may name; bounds arrays on the stack.
inline constexpr Index kMaxAdapters = 256;

// What else a manifest may give at most. With these the size of every buffer is within Index.
inline constexpr Index kMaxTasks = 256;
inline constexpr Index kMaxBlocks = 256;
inline constexpr Index kMaxChannels = 8192;
inline constexpr Index kMaxInputSide = 65536;

inline Index tile_count(Index items, Index tile) { return (items + tile - 1) / tile; }

// `items` cut into `count` tiles whose sizes differ by one at most.
struct Tiling {
  Index items = 0;
  Index count = 0;

  Index first(Index tile) const { return tile * items / count; }
  Index rows(Index tile) const { return first(tile + 1) - first(tile); }
};

// Tiles of `most` items at most, as many for each thread as for any other: with 9 tiles, one of two
// threads would wait for the other's fifth. For rows whose results do not depend on their tile.
inline Tiling even_tiles(Index items, Index most, Index threads) {
  const Index rounds = tile_count(tile_count(items, most), threads);
  return {items, std::min(items, rounds * threads)};
}

}  // namespace sakedge
