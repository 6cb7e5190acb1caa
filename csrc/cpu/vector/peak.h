#pragma once

#include "cpu/vector/gemm.h"

namespace sakedge::cpu {
namespace {

// The sums of a full block, one load for all of them.
template <typename A>
Index peak(const PeakArgs& args) {
  constexpr Index kSums = kRowBlock * kPanelVectors;
  typename A::Sum total[kSums];
  UNROLL for (Index i = 0; i < kSums; ++i) { total[i] = A::zero(); }
  const char* words = static_cast<const char*>(args.words);
  for (Index round = 0; round < args.rounds; ++round) {
    const typename A::Operand x = A::broadcast(words + round % 16 * kWord);
    UNROLL for (Index i = 0; i < kSums; ++i) { total[i] = A::multiply_add(x, x, total[i]); }
  }
  float out = 0.0f;
  for (Index i = 0; i < kSums; ++i) {
    out += sum(A::value(total[i], words, 0, words, 0));
  }
  *args.out = out;
  return args.rounds * kSums * kLanes * A::kStep;
}

}  // namespace
}  // namespace sakedge::cpu
