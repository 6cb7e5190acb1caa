#pragma once

#include <string>

#include "core/index.h"
#include "core/status.h"

namespace sakedge {

// Height and width.
struct Size {
  Index height = 0;
  Index width = 0;

  Index area() const { return height * width; }
  std::string text() const { return std::to_string(height) + " x " + std::to_string(width); }
};

// kInvalid unless both sides are from `fewest` to kMostSide, and the area to kMostPixels.
Status check(Size size, Index fewest, const char* what);

// Where an output lies on a student's input: output pixel (y, x) is sampled at the input coordinate
// ((y + 0.5) * scale_y + top, (x + 0.5) * scale_x + left), with pixel edges at whole numbers.
struct Window {
  Index height = 0;
  Index width = 0;
  double top = 0.0;
  double left = 0.0;
  double scale_y = 1.0;
  double scale_x = 1.0;
};

// kInvalid unless its size is one, possibly empty, and its coordinates are finite.
Status check(const Window& window);

}  // namespace sakedge
