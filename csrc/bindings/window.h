#pragma once

#include <tuple>
#include <utility>

#include "bindings/arrays.h"
#include "image/window.h"

namespace sakedge::bindings {

// height, width
using SizeArguments = std::pair<Index, Index>;

inline Size size_from(const SizeArguments& arguments) {
  return {arguments.first, arguments.second};
}

// height, width, top, left, scale_y, scale_x
using WindowArguments = std::tuple<Index, Index, double, double, double, double>;

inline Window window_from(const WindowArguments& arguments) {
  const auto [height, width, top, left, scale_y, scale_x] = arguments;
  require(height >= 0 && width >= 0, "a window of negative size");
  return {height, width, top, left, scale_y, scale_x};
}

}  // namespace sakedge::bindings
