#pragma once

#include "cpu/kernel_table.h"
#include "cpu/vector/lanes.h"

namespace sakedge::cpu {
namespace {

void mix_f32(const MixArgs& args) {
  for (Index row = 0; row < args.m; ++row) {
    float* y = args.y + row * args.y_stride;
    for_vectors(args.channels, [&](Index c, auto lanes) {
      Vec total =
          mul(splat(args.weights[0]), load(args.inputs[0] + row * args.strides[0] + c, lanes));
      for (Index e = 1; e < args.experts; ++e) {
        const float* x = args.inputs[e] + row * args.strides[e];
        total = multiply_add(splat(args.weights[e]), load(x + c, lanes), total);
      }
      store(y + c, total, lanes);
    });
  }
}

}  // namespace
}  // namespace sakedge::cpu
