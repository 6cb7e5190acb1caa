#pragma once

#include "cpu/kernel_table.h"

// How much scratch memory kernels ask for. Apart from kernel_table.h, so that no object of an
// instruction set instantiates these.
namespace sakedge::cpu {

// Bytes.
inline Index adapter_scratch(const PackedKernels& kernels, Index m, Index channels, Index hidden) {
  const Index values = hidden * static_cast<Index>(sizeof(float));
  return m * (kernels.row_size(channels) + kernels.row_size(hidden) + values);
}

// Floats: the tap maps' rows, interpolated along y for three offsets, and a row of activations.
constexpr Index expand_scratch(Index channels, Index width, Index out_width) {
  return (3 * width + out_width) * channels;
}

// Floats: three rows of the map as planes, and five words for each column, of which the last vector
// may be incomplete (at most 16 lanes).
constexpr Index sample_scratch(Index width, Index classes, Index out_width) {
  return 3 * width * classes + 5 * (out_width + 15);
}

}  // namespace sakedge::cpu
