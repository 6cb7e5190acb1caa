#pragma once

#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon/by_tile.h"
#include "cpu/vector/products.h"
#include "cpu/vector/rational_gelu.h"
#include "cpu/vector/s8.h"

namespace sakedge::cpu {
namespace {

// Two rows times two columns, eight products each.
struct SmmlaDot {
  typedef std::int8_t Cell;
  typedef std::int8_t Weight;
  typedef int8x16_t Operand;
  static constexpr Index kStep = 8;
  static constexpr std::int32_t kOffset = 0;
  static constexpr Index kTileRows = 2;
  static constexpr Index kTileColumns = 2;

  static Operand rows(const char* p, const char* q) {
    return vcombine_s8(vld1_s8(reinterpret_cast<const std::int8_t*>(p)),
                       vld1_s8(reinterpret_cast<const std::int8_t*>(q)));
  }
  static Operand columns(const char* p) {
    return vld1q_s8(reinterpret_cast<const std::int8_t*>(p));
  }
  static Ints multiply_add(Operand x, Operand column, Ints sum) {
    return vmmlaq_s32(sum, x, column);
  }
  template <Index Row>
  static Ints totals(const Ints* tiles) {
    const int64x2_t a = vreinterpretq_s64_s32(tiles[0]);
    const int64x2_t b = vreinterpretq_s64_s32(tiles[1]);
    return vreinterpretq_s32_s64(Row == 0 ? vtrn1q_s64(a, b) : vtrn2q_s64(a, b));
  }
  static void store(Cell* out, Ints x) { store_s8(out, x); }
};

typedef Products<Inherited, Inherited, S8<SmmlaDot>> Own;

}  // namespace
}  // namespace sakedge::cpu
