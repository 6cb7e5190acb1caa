#pragma once

#include "cpu/vector/multiply.h"

namespace sakedge::cpu {
namespace {

// The innermost loop of a product on a full block, all of its operands in the first-level cache.
template <typename A>
Index peak(const PeakArgs& args) {
  constexpr Index kDepth = 256 / A::kWord;
  constexpr Index kRowSize = 256 + kCacheLine;
  static_assert(kRowBlock * kRowSize + 256 * kPanel <= 16384);
  const char* rows = static_cast<const char*>(args.words);
  const char* panel = rows + kRowBlock * kRowSize;
  typename A::Sum total[kRowBlock][kPanelVectors];
  for (Index round = 0; round < args.rounds; ++round) {
    const char* from = rows + round % 2 * kCacheLine;  // so that no compiler does it only once
    multiply_block<A, kRowBlock>(from, kRowSize, panel, kDepth, panel, total);
  }
  Vec all = splat(0.0f);
  for (Index r = 0; r < kRowBlock; ++r) {
    for (Index v = 0; v < kPanelVectors; ++v) {
      all = add(all, A::value(total[r][v], rows, 0, panel, 0));
    }
  }
  *args.out = sum(all);
  return args.rounds * kDepth * kRowBlock * kPanel * A::kStep;
}

}  // namespace
}  // namespace sakedge::cpu
