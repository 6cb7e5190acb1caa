#pragma once

#include "cpu/vector/layer_norm.h"
#include "cpu/vector/multiply.h"

namespace sakedge::cpu {
namespace {

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

}  // namespace
}  // namespace sakedge::cpu
