#include "image/interpolation.h"

#include <algorithm>
#include <cmath>

#include "core/limits.h"

namespace sakedge {
namespace {

// The lerp at `position`, where cell i has its centre at i. On the map whatever the position, NaN
// too.
cpu::Lerp lerp_at(double position, Index cells) {
  const double inside = position > 0.0 ? std::min(position, static_cast<double>(cells - 1)) : 0.0;
  const Index low = static_cast<Index>(std::floor(inside));
  const Index high = std::min(low + 1, cells - 1);
  const auto weight = static_cast<float>(inside - static_cast<double>(low));
  return {static_cast<std::int32_t>(low), static_cast<std::int32_t>(high), 1.0f - weight, weight};
}

}  // namespace

std::vector<cpu::Lerp> expansion_lerps(Index in, Index out) {
  const double ratio = static_cast<double>(in) / static_cast<double>(out);
  std::vector<cpu::Lerp> lerps;
  lerps.reserve(static_cast<std::size_t>(3 * out));
  for (Index i = 0; i < out; ++i) {
    for (Index j = i - 1; j <= i + 1; ++j) {
      const bool inside = j >= 0 && j < out;
      lerps.push_back(inside ? lerp_at((static_cast<double>(j) + 0.5) * ratio - 0.5, in)
                             : cpu::Lerp{0, 0, 0.0f, 0.0f});
    }
  }
  return lerps;
}

std::vector<cpu::Lerp> window_lerps(Index map, Index extent, Index count, double offset,
                                    double scale) {
  const double ratio = static_cast<double>(map) / static_cast<double>(extent);
  std::vector<cpu::Lerp> lerps;
  lerps.reserve(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    const double pixel = (static_cast<double>(i) + 0.5) * scale + offset;
    lerps.push_back(lerp_at(pixel * ratio - 0.5, map));
  }
  return lerps;
}

double sampling_work(Size output, Size map, Index classes) {
  const auto columns = static_cast<double>(map.width + output.width);  // along y, then along x
  return static_cast<double>(output.height) * columns * static_cast<double>(classes) * kSampleWork;
}

Samples::Samples(const Window& window, Size map, Size input)
    : height(window.height),
      width(window.width),
      rows(window_lerps(map.height, input.height, window.height, window.top, window.scale_y)),
      columns(window_lerps(map.width, input.width, window.width, window.left, window.scale_x)) {}

}  // namespace sakedge
