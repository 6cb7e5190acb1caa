#pragma once

#include <algorithm>
#include <vector>

#include "core/index.h"

namespace sakedge {

// How a head's output is decoded.
enum class Kind { kLabels, kProbability, kTwoClass, kNormals, kScalar };

// Channels that a kind demands; 0 for any number.
inline Index required_classes(Kind kind) {
  switch (kind) {
    case Kind::kProbability:
    case Kind::kScalar:
      return 1;
    case Kind::kTwoClass:
      return 2;
    case Kind::kNormals:
      return 3;
    case Kind::kLabels:
      break;
  }
  return 0;
}

// Sizes that all parts of a student share (symbols of docs/model.md, section 1).
struct Geometry {
  Index channels = 0;         // C
  Index blocks = 0;           // D; the stem gives x0 ... xD
  std::vector<Index> levels;  // ascending block indices; level l reads x[l + 1]
  Index grid_height = 0;      // patch tokens
  Index grid_width = 0;
  Index input_height = 0;  // pixels
  Index input_width = 0;
  Index adapters = 0;  // T

  Index tokens() const { return grid_height * grid_width; }
  Index experts() const { return 1 + adapters; }
  Index level_count() const { return static_cast<Index>(levels.size()); }
  // Size of a head's map, (H/4, W/4).
  Index map_height() const { return input_height < 4 ? 1 : input_height / 4; }
  Index map_width() const { return input_width < 4 ? 1 : input_width / 4; }
};

// Tokens that one call of a kernel handles, at most. A tile of ViT-B's residuals is 0.2 MB for each
// adapter: one adapter's stay in the second-level cache while its weights pass.
inline constexpr Index kTokenTile = 64;

// As many as a manifest may name; bounds arrays on the stack.
inline constexpr Index kMaxAdapters = 256;

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
