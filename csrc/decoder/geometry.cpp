#include "decoder/geometry.h"

#include <functional>
#include <utility>

namespace sakedge {
namespace {

bool is_within(Index size, Index most) { return size >= 1 && size <= most; }

bool is_sane(const StemShape& stem) {
  const std::vector<Index>& levels = stem.levels;
  return is_within(stem.channels, kMaxChannels) && is_within(stem.blocks, kMaxBlocks) &&
         !levels.empty() && levels.front() >= 0 && levels.back() < stem.blocks &&
         std::adjacent_find(levels.begin(), levels.end(), std::greater_equal<>()) == levels.end();
}

bool is_sane(Size size) {
  return is_within(size.height, kMaxInputSide) && is_within(size.width, kMaxInputSide);
}

}  // namespace

std::string StemShape::text() const {
  std::string result =
      std::to_string(channels) + " channels, " + std::to_string(blocks) + " blocks and levels";
  for (const Index level : levels) {
    result.append(" ").append(std::to_string(level));
  }
  return result;
}

Expected<Geometry> Geometry::make(StemShape stem, Size grid, Size input) {
  if (!is_sane(stem)) {
    return Status(Code::kInvalid, "geometry: expected 1 to " + std::to_string(kMaxChannels) +
                                      " channels, 1 to " + std::to_string(kMaxBlocks) +
                                      " blocks and ascending levels among them");
  }
  if (!is_sane(grid) || !is_sane(input)) {
    return Status(Code::kInvalid, "geometry: expected sides of 1 to " +
                                      std::to_string(kMaxInputSide) + ", got a grid of " +
                                      grid.text() + " and an input of " + input.text());
  }
  return Geometry{{std::move(stem)}, grid.height, grid.width, input};
}

}  // namespace sakedge
