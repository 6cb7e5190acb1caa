#pragma once

#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon/by_lane.h"
#include "cpu/vector/products.h"
#include "cpu/vector/rational_gelu.h"
#include "cpu/vector/s8.h"

namespace sakedge::cpu {
namespace {

// Four products of signed bytes per word.
struct SdotDot {
  typedef std::int8_t Cell;
  typedef std::int8_t Weight;
  typedef int8x16_t Operand;
  static constexpr Index kStep = 4;
  static constexpr std::int32_t kOffset = 0;
  static constexpr Index kParts = 1;

  template <Index>
  static Operand part(Ints words) {
    return vreinterpretq_s8_s32(words);
  }
  template <Index Lane>
  static Ints multiply_add(Operand x, Operand column, Ints sum) {
    return vdotq_laneq_s32(sum, column, x, Lane);
  }
  static void store(Cell* out, Ints x) { store_s8(out, x); }
};

typedef Products<Inherited, Inherited, S8<SdotDot>> Own;

}  // namespace
}  // namespace sakedge::cpu
