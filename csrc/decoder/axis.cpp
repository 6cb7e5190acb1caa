#include "decoder/axis.h"

#include <algorithm>
#include <cmath>

namespace sakedge {
namespace {

// The tap at `position`, where cell i has its centre at i.
cpu::Tap tap_at(double position, Index cells) {
  const double inside = std::clamp(position, 0.0, static_cast<double>(cells - 1));
  const Index low = static_cast<Index>(std::floor(inside));
  const Index high = std::min(low + 1, cells - 1);
  const auto weight = static_cast<float>(inside - static_cast<double>(low));
  return {static_cast<std::int32_t>(low), static_cast<std::int32_t>(high), 1.0f - weight, weight};
}

}  // namespace

std::vector<cpu::Tap> expansion_taps(Index in, Index out) {
  const double ratio = static_cast<double>(in) / static_cast<double>(out);
  std::vector<cpu::Tap> taps;
  taps.reserve(static_cast<std::size_t>(3 * out));
  for (Index i = 0; i < out; ++i) {
    for (Index j = i - 1; j <= i + 1; ++j) {
      const bool inside = j >= 0 && j < out;
      taps.push_back(inside ? tap_at((static_cast<double>(j) + 0.5) * ratio - 0.5, in)
                            : cpu::Tap{0, 0, 0.0f, 0.0f});
    }
  }
  return taps;
}

std::vector<cpu::Tap> window_taps(Index map, Index extent, Index count, double offset,
                                  double scale) {
  const double ratio = static_cast<double>(map) / static_cast<double>(extent);
  std::vector<cpu::Tap> taps;
  taps.reserve(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    const double pixel = (static_cast<double>(i) + 0.5) * scale + offset;
    taps.push_back(tap_at(pixel * ratio - 0.5, map));
  }
  return taps;
}

}  // namespace sakedge
