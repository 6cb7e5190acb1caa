#pragma once

#include "cpu/vector/multiply.h"

namespace sakedge::cpu {
namespace {

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

}  // namespace
}  // namespace sakedge::cpu
