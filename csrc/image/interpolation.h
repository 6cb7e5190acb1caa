#pragma once

#include <vector>

#include "cpu/kernel_table.h"
#include "image/window.h"

// Bilinear interpolation along one axis, with align_corners=False: positions are pixel centres, and
// what lies beyond the first or last centre takes its value.
namespace sakedge {

// Lerps of a map resized from `in` to `out`, three for each output position: itself, its left and
// its right neighbour, in the order left, self, right. A neighbour outside [0, out) has zero
// weights.
std::vector<cpu::Lerp> expansion_lerps(Index in, Index out);

// Samples of a map of `map` cells that spans `extent` input pixels, at the input coordinates
// (i + 0.5) * scale + offset for i in [0, count).
std::vector<cpu::Lerp> window_lerps(Index map, Index extent, Index count, double offset,
                                    double scale);

// What it takes to sample an output of so many classes, in multiplications.
double sampling_work(Size output, Size map, Index classes);

// Where the pixels of an output lie on a map that spans a whole input.
struct Samples {
  Index height, width;
  std::vector<cpu::Lerp> rows, columns;

  Samples(const Window& window, Size map, Size input);
};

}  // namespace sakedge
