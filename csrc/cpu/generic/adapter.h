#pragma once

#include "cpu/generic/gelu.h"
#include "cpu/generic/linear.h"

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

}  // namespace
}  // namespace sakedge::cpu
