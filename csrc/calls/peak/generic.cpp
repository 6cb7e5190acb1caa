// The peaks of csrc/cpu/generic.
#include "calls/peak/peak.h"
#include "cpu/generic/linear.h"

namespace sakedge::calls::generic {
namespace {

using namespace cpu;

template <typename A>
Index peak(Index rounds, const void* words, float* out) {
  constexpr Index kDepth = 64;
  const char* rows = static_cast<const char*>(words);
  const auto* panel = reinterpret_cast<const typename A::Cell*>(rows + 4096);
  typename A::Sum sums[kRows][kPanel] = {};
  for (Index round = 0; round < rounds; ++round) {
    const char* from = rows + round % 2 * kLine;  // so that no compiler does it only once
    multiply<A, kRows>(kDepth, from, panel, sums);
  }
  *out = 0.0f;
  for (Index r = 0; r < kRows; ++r) {
    for (Index j = 0; j < kPanel; ++j) {
      *out += A::value(sums[r][j], 1.0f, 1.0f);
    }
  }
  return rounds * kDepth * kRows * kPanel;
}

}  // namespace

extern const Peaks kPeaks;

constexpr Peaks kPeaks = {peak<F32>, peak<Bf16>, peak<S8>};

}  // namespace sakedge::calls::generic
