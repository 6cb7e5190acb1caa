#pragma once

#include "cpu/generic/gelu.h"
#include "cpu/generic/layer_norm.h"
#include "cpu/generic/linear.h"

namespace sakedge::cpu {
namespace {

template <typename A>
void router(const RouterArgs& args) {
  linear<A>({args.m, args.hidden, args.channels, args.rows, args.packed, args.bias, false,
             args.scratch, args.hidden});
  layer_norm_f32({args.m, args.hidden, args.scratch, args.hidden, args.gamma, args.beta,
                  args.epsilon, args.scratch, args.hidden});
  gelu_f32(args.m * args.hidden, args.scratch);
  for (Index c = 0; c < args.hidden; ++c) {
    args.sum[c] = 0.0f;
  }
  for (Index row = 0; row < args.m; ++row) {
    const float* h = args.scratch + row * args.hidden;
    for (Index c = 0; c < args.hidden; ++c) {
      args.sum[c] += h[c];
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
