#pragma once

#include "cpu/vector/s8.h"

namespace sakedge::cpu {
namespace {

// int8 for instruction sets that multiply int16 in pairs: exact, where their byte instruction would
// saturate. They provide add_pairs(x, column, sum) and store_s16(out, x).
struct MaddDot : WordOperands {
  typedef std::int16_t Cell;
  typedef std::int16_t Weight;
  static constexpr Index kStep = 2;
  static constexpr std::int32_t kOffset = 0;

  static Ints multiply_add(Operand x, Operand column, Ints sum) {
    return add_pairs(x, column, sum);
  }
  static void store(Cell* out, Ints x) { store_s16(out, x); }
};

}  // namespace
}  // namespace sakedge::cpu
