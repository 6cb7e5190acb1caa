#pragma once

#include "cpu/generic/gelu.h"
#include "cpu/generic/layer_norm.h"
#include "cpu/generic/linear.h"

// Kernels that work on a tile of tokens: adapters, routers, the mixture.
namespace sakedge::cpu {
namespace {

template <typename A>
void adapter(const AdapterArgs& args) {
  char* const rows = static_cast<char*>(args.scratch);
  char* const hidden_rows = rows + args.m * row_size<A>(args.channels);
  float* const hidden = reinterpret_cast<float*>(hidden_rows + args.m * row_size<A>(args.hidden));
  for (Index row = 0; row < args.m; ++row) {
    const float* x = args.x + row * args.x_stride;
    float* r = args.r + row * args.r_stride;
    for (Index c = 0; c < args.channels; ++c) {
      r[c] += x[c];
    }
  }
  prepare<A>({args.m, args.channels, args.r, args.r_stride, rows});
  linear<A>({args.m, args.hidden, args.channels, rows, args.down, args.down_bias, false, hidden,
             args.hidden});
  gelu_f32(args.m * args.hidden, hidden);
  prepare<A>({args.m, args.hidden, hidden, args.hidden, hidden_rows});
  linear<A>({args.m, args.channels, args.hidden, hidden_rows, args.up, args.up_bias, true, args.r,
             args.r_stride});
}

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

template <typename A>
constexpr PackedKernels packed_kernels() {
  return {packed_size<A>, pack<A>,    row_size<A>, prepare<A>,
          linear<A>,      adapter<A>, router<A>,   peak<A>};
}

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
