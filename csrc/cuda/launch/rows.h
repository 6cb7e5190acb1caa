#pragma once

#include "cuda/kernels/args.h"
#include "cuda/launch/steps.h"

// What takes a warp for each row.
namespace sakedge::cuda {

// Rows in the 16-bit type, or in int8 with a scale for each; `scale` is set with kS8.
struct Rows {
  Arithmetic arithmetic = Arithmetic::kF16;
  Buffer data;
  Buffer scale;
};

// A buffer for so many rows.
Rows scratch_rows(Steps& steps, Arithmetic arithmetic, Index rows, Index channels,
                  const char* what);

// x [rows, channels] normalised.
void add_layer_norm(Steps& steps, Buffer x, const Norm& norm, float epsilon, Index rows,
                    Index channels, const Rows& out);

// `in`, of the type `wide`, to int8.
void add_quantize(Steps& steps, Arithmetic wide, Buffer in, Index rows, Index channels,
                  const Rows& out);

}  // namespace sakedge::cuda
