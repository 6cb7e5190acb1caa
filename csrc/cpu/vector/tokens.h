#pragma once

#include "cpu/vector/gemm.h"
#include "cpu/vector/layer_norm.h"
#include "cpu/vector/peak.h"

// Kernels that work on a tile of tokens: products, adapters, routers.
namespace sakedge::cpu {
namespace {

template <typename A>
void linear(const LinearArgs& args) {
  const Epilogue epilogue = {args.bias, args.y, args.y_stride};
  if (args.accumulate) {
    multiply<A, Finish::kAccumulate>(args.m, args.n, args.k, args.rows, args.packed, epilogue);
  } else {
    multiply<A, Finish::kStore>(args.m, args.n, args.k, args.rows, args.packed, epilogue);
  }
}

// r += x, and the sum prepared while it is in the first-level cache.
template <typename A>
inline void add_and_prepare(const AdapterArgs& args, char* rows) {
  for (Index i = 0; i < args.m; ++i) {
    const float* x = args.x + i * args.x_stride;
    float* r = args.r + i * args.r_stride;
    for_vectors(args.channels, [&](Index c, auto lanes) {
      store(r + c, add(load(r + c, lanes), load(x + c, lanes)), lanes);
    });
    A::prepare(args.channels, r, rows + i * row_size<A>(args.channels));
  }
}

template <typename A>
void adapter(const AdapterArgs& args) {
  char* const rows = static_cast<char*>(args.scratch);
  char* const hidden_rows = rows + args.m * row_size<A>(args.channels);
  float* const hidden = reinterpret_cast<float*>(hidden_rows + args.m * row_size<A>(args.hidden));
  add_and_prepare<A>(args, rows);
  multiply<A, Finish::kGelu>(args.m, args.hidden, args.channels, rows, args.down,
                             {args.down_bias, hidden, args.hidden});
  prepare<A>({args.m, args.hidden, hidden, args.hidden, hidden_rows});
  multiply<A, Finish::kAccumulate>(args.m, args.channels, args.hidden, hidden_rows, args.up,
                                   {args.up_bias, args.r, args.r_stride});
}

template <typename A>
void router(const RouterArgs& args) {
  multiply<A, Finish::kStore>(args.m, args.hidden, args.channels, args.rows, args.packed,
                              {args.bias, args.scratch, args.hidden});
  layer_norm_f32({args.m, args.hidden, args.scratch, args.hidden, args.gamma, args.beta,
                  args.epsilon, args.scratch, args.hidden});
  for_vectors(args.hidden, [&](Index c, auto lanes) {
    Vec total = splat(0.0f);
    for (Index i = 0; i < args.m; ++i) {
      total = add(total, gelu(load(args.scratch + i * args.hidden + c, lanes)));
    }
    store(args.sum + c, total, lanes);
  });
}

template <typename A>
constexpr PackedKernels packed_kernels() {
  return {packed_size<A>, pack<A>,    row_size<A>, prepare<A>,
          linear<A>,      adapter<A>, router<A>,   peak<A>};
}

}  // namespace
}  // namespace sakedge::cpu
