#pragma once

#include "core/index.h"

namespace sakedge {

// Height and width.
struct Size {
  Index height = 0;
  Index width = 0;

  Index area() const { return height * width; }
};

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

}  // namespace sakedge
