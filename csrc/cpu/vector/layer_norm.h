#pragma once

#include <math.h>

#include "cpu/kernel_table.h"
#include "cpu/vector/lanes.h"

namespace sakedge::cpu {
namespace {

// Sums of kLanes interleaved parts: rounding errors grow with channels / kLanes.
inline float mean(const float* x, Index count) {
  Vec total = splat(0.0f);
  for_vectors(count, [&](Index i, auto lanes) { total = add(total, load(x + i, lanes)); });
  return sum(total) / static_cast<float>(count);
}

inline float variance(const float* x, Index count, float center) {
  const Vec middle = splat(center);
  Vec total = splat(0.0f);
  for_vectors(count, [&](Index i, auto lanes) {
    const Vec d = sub(load(x + i, lanes), keep(middle, lanes));
    total = multiply_add(d, d, total);
  });
  return sum(total) / static_cast<float>(count);
}

void layer_norm_f32(const LayerNormArgs& args) {
  for (Index row = 0; row < args.m; ++row) {
    const float* x = args.x + row * args.x_stride;
    float* y = args.y + row * args.y_stride;
    const float center = mean(x, args.channels);
    const float spread = sqrtf(variance(x, args.channels, center) + args.epsilon);
    const Vec middle = splat(center);
    // NaN where the variance overflowed, which 1 / infinity would hide.
    const Vec scale = splat(1.0f / spread + 0.0f * spread);
    for_vectors(args.channels, [&](Index c, auto lanes) {
      const Vec normed = mul(sub(load(x + c, lanes), middle), scale);
      store(y + c, multiply_add(normed, load(args.gamma + c, lanes), load(args.beta + c, lanes)),
            lanes);
    });
  }
}

}  // namespace
}  // namespace sakedge::cpu
