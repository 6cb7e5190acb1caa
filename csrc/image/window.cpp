#include "image/window.h"

#include <cmath>

#include "core/limits.h"

namespace sakedge {

Status check(Size size, Index fewest, const char* what) {
  const auto is_side = [&](Index side) { return side >= fewest && side <= kMostSide; };
  if (is_side(size.height) && is_side(size.width) && size.area() <= kMostPixels) {
    return {};
  }
  return {Code::kInvalid, std::string(what) + ": expected sides of " + std::to_string(fewest) +
                              " to " + std::to_string(kMostSide) + " and at most " +
                              std::to_string(kMostPixels) + " in all, got " + size.text()};
}

Status check(const Window& window) {
  if (Status status = check({window.height, window.width}, 0, "a window"); !status.ok()) {
    return status;
  }
  for (const double number : {window.top, window.left, window.scale_y, window.scale_x}) {
    if (!std::isfinite(number)) {
      return {Code::kInvalid, "a window: its coordinates are not finite"};
    }
  }
  return {};
}

}  // namespace sakedge
