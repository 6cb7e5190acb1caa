#pragma once

#include <tuple>
#include <utility>

#include "bindings/bind.h"
#include "image/window.h"

namespace sakedge::bindings {

// height, width
using SizeArguments = std::pair<Index, Index>;

inline Size size_from(const SizeArguments& arguments) {
  return {arguments.first, arguments.second};
}

// height, width, top, left, scale_y, scale_x
using WindowArguments = std::tuple<Index, Index, double, double, double, double>;

// Raises unless it is one that can be sampled.
inline Window window_from(const WindowArguments& arguments) {
  const auto [height, width, top, left, scale_y, scale_x] = arguments;
  const Window window{height, width, top, left, scale_y, scale_x};
  raise_unless_ok(check(window));
  return window;
}

}  // namespace sakedge::bindings
