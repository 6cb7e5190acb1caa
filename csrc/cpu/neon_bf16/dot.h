#pragma once

#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon/by_tile.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/products.h"
#include "cpu/vector/rational_gelu.h"

namespace sakedge::cpu {
namespace {

// Two rows times two columns, four products each, added in pairs as by BFDOT, every sum rounded to
// odd.
struct BfmmlaDot {
  typedef bfloat16x8_t Operand;
  static constexpr Index kStep = 4;
  static constexpr Index kTileRows = 2;
  static constexpr Index kTileColumns = 2;

  static Operand rows(const char* p, const char* q) {
    return vcombine_bf16(vld1_bf16(reinterpret_cast<const bfloat16_t*>(p)),
                         vld1_bf16(reinterpret_cast<const bfloat16_t*>(q)));
  }
  static Operand columns(const char* p) {
    return vld1q_bf16(reinterpret_cast<const bfloat16_t*>(p));
  }
  static Vec multiply_add(Operand x, Operand column, Vec sum) {
    return vbfmmlaq_f32(sum, x, column);
  }
  template <Index Row>
  static Vec totals(const Vec* tiles) {
    const float64x2_t a = vreinterpretq_f64_f32(tiles[0]);
    const float64x2_t b = vreinterpretq_f64_f32(tiles[1]);
    return vreinterpretq_f32_f64(Row == 0 ? vtrn1q_f64(a, b) : vtrn2q_f64(a, b));
  }
  static void store(std::uint16_t* out, Vec x) {
    vst1_bf16(reinterpret_cast<bfloat16_t*>(out), vcvt_bf16_f32(x));
  }
};

typedef Products<Inherited, Bf16<BfmmlaDot>, Inherited> Own;

}  // namespace
}  // namespace sakedge::cpu
