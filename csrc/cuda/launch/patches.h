#pragma once

#include "cuda/kernels/args.h"
#include "cuda/launch/steps.h"

namespace sakedge::cuda {

// Pictures cut into patches, and the class token's row of x0; see PatchesArgs.
struct PatchesStep {
  Arithmetic arithmetic = Arithmetic::kF16;  // a 16-bit one
  Index images = 0;
  Index grid_height = 0;
  Index grid_width = 0;
  Index channels = 0;
  const Picture* pictures = nullptr;
  const float* class_row = nullptr;
  float mul[3] = {};
  float add[3] = {};
  Buffer out;
  Buffer x;
};

void add_patches(Steps& steps, const PatchesStep& step);

}  // namespace sakedge::cuda
