#pragma once

#include <math.h>

#include "cpu/kernel_table.h"

namespace sakedge::cpu {
namespace {

// Sums of 8 interleaved parts: vectorises although the compiler may not reorder float additions,
// and the rounding error grows with channels / 8.
constexpr Index kPartialSums = 8;

inline float total(const float* lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
         ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

inline float mean(const float* x, Index count) {
  float lanes[kPartialSums] = {};
  Index i = 0;
  for (; i + kPartialSums <= count; i += kPartialSums) {
    for (Index j = 0; j < kPartialSums; ++j) {
      lanes[j] += x[i + j];
    }
  }
  for (Index j = 0; i < count; ++i, ++j) {
    lanes[j] += x[i];
  }
  return total(lanes) / static_cast<float>(count);
}

inline float variance(const float* x, Index count, float center) {
  float lanes[kPartialSums] = {};
  Index i = 0;
  for (; i + kPartialSums <= count; i += kPartialSums) {
    for (Index j = 0; j < kPartialSums; ++j) {
      const float d = x[i + j] - center;
      lanes[j] += d * d;
    }
  }
  for (Index j = 0; i < count; ++i, ++j) {
    const float d = x[i] - center;
    lanes[j] += d * d;
  }
  return total(lanes) / static_cast<float>(count);
}

void layer_norm_f32(const LayerNormArgs& args) {
  for (Index row = 0; row < args.m; ++row) {
    const float* x = args.x + row * args.x_stride;
    float* y = args.y + row * args.y_stride;
    const float center = mean(x, args.channels);
    const float spread = sqrtf(variance(x, args.channels, center) + args.epsilon);
    // NaN where the variance overflowed, which 1 / infinity would hide.
    const float scale = 1.0f / spread + 0.0f * spread;
    for (Index c = 0; c < args.channels; ++c) {
      y[c] = (x[c] - center) * scale * args.gamma[c] + args.beta[c];
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
