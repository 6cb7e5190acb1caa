#pragma once

#include <string>

#include "cuda/kernels/args.h"
#include "cuda/kernels/tiles.h"
#include "cuda/launch/steps.h"

namespace sakedge::cuda {

// out = a w^T and an epilogue; see GemmArgs.
struct GemmStep {
  Arithmetic arithmetic = Arithmetic::kF16;
  Index m = 0;  // of a batch; n and k are the linear's
  Index batches = 1;
  Index first = 0;   // of them, in `a`, `a_scale` and `linears`; `out` begins with it
  Index beside = 0;  // batches of like steps that may run side by side with this one
  Buffer a;
  Buffer a_scale;  // with kS8
  Index a_width = 0;
  Linear linear{};
  const Linear* const* linears = nullptr;
  Buffer residual;                         // or
  const float* shared_residual = nullptr;  // of weights
  Buffer out;
  bool gelu = false;
  bool float_out = false;
  Index patch_tokens = 0;
  Index out_width = 0;
};

void add_gemm(Steps& steps, const GemmStep& step);

// Whether some build has a tile of the name.
bool is_tile(const std::string& name);

}  // namespace sakedge::cuda
