#pragma once

#include "cpu/kernel_table.h"

namespace sakedge::cpu {
namespace {

void mix_f32(const MixArgs& args) {
  for (Index row = 0; row < args.m; ++row) {
    float* y = args.y + row * args.y_stride;
    for (Index e = 0; e < args.experts; ++e) {
      const float* x = args.inputs[e] + row * args.strides[e];
      const float weight = args.weights[e];
      if (e == 0) {
        for (Index c = 0; c < args.channels; ++c) {
          y[c] = weight * x[c];
        }
      } else {
        for (Index c = 0; c < args.channels; ++c) {
          y[c] += weight * x[c];
        }
      }
    }
  }
}

}  // namespace
}  // namespace sakedge::cpu
