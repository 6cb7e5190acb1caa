// The peaks of an instruction set over csrc/cpu/vector. Compiled once for each, with its flags:
// SAKEDGE_ISA is its name, SAKEDGE_DOT its dot.h.
#include SAKEDGE_DOT
// dot.h first: what follows is written in its terms.
#include "calls/peak/peak.h"
#include "cpu/vector/multiply.h"

namespace sakedge::calls::SAKEDGE_ISA {
namespace {

using namespace cpu;

template <typename A>
Index peak(Index rounds, const void* words, float* out) {
  constexpr Index kDepth = 256 / A::kWord;
  constexpr Index kRowSize = 256 + kCacheLine;
  static_assert(kRowBlock * kRowSize + 256 * kPanel <= kPeakBytes);
  const char* rows = static_cast<const char*>(words);
  const char* panel = rows + kRowBlock * kRowSize;
  typename A::Sum total[kRowBlock][kPanelVectors];
  for (Index round = 0; round < rounds; ++round) {
    const char* from = rows + round % 2 * kCacheLine;  // so that no compiler does it only once
    multiply_block<A, kRowBlock>(from, kRowSize, panel, kDepth, panel, total);
  }
  Vec all = splat(0.0f);
  for (Index r = 0; r < kRowBlock; ++r) {
    for (Index v = 0; v < kPanelVectors; ++v) {
      all = add(all, A::value(total[r][v], rows, 0, panel, 0));
    }
  }
  *out = sum(all);
  return rounds * kDepth * kRowBlock * kPanel * A::kStep;
}

template <typename A>
constexpr Peak kPeakOf = peak<A>;
template <>
constexpr Peak kPeakOf<Inherited> = nullptr;

}  // namespace

extern const Peaks kPeaks;

constexpr Peaks kPeaks = {kPeakOf<Own::Float32>, kPeakOf<Own::Bfloat16>, kPeakOf<Own::Int8>};

}  // namespace sakedge::calls::SAKEDGE_ISA
