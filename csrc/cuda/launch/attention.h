#pragma once

#include "cuda/launch/steps.h"

namespace sakedge::cuda {

// Attention of `images` of so many tokens among themselves; see AttentionArgs.
struct AttentionStep {
  Arithmetic arithmetic = Arithmetic::kF16;  // a 16-bit one
  Index images = 0;
  Index tokens = 0;
  Index heads = 0;
  Buffer qkv;
  Buffer out;
};

void add_attention(Steps& steps, const AttentionStep& step);

}  // namespace sakedge::cuda
