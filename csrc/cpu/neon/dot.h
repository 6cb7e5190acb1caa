#pragma once

#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon/by_lane.h"
#include "cpu/neon/by_tile.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/f32.h"
#include "cpu/vector/products.h"
#include "cpu/vector/rational_gelu.h"
#include "cpu/vector/s8.h"

namespace sakedge::cpu {
namespace {

// sum + column * x[Lane]
template <Index Lane>
inline Vec multiply_add_lane(Vec x, Vec column, Vec sum) {
#if defined(__GNUC__) && !defined(__clang__)
  // With the intrinsic, gcc 12 keeps copies of some sums and has to spill them.
  __asm__("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(sum) : "w"(column), "w"(x), "i"(Lane));
  return sum;
#else
  return vfmaq_laneq_f32(sum, column, x, Lane);
#endif
}

struct LaneF32 {
  typedef Vec Operand;
  static constexpr Index kParts = 1;

  template <Index>
  static Vec part(Ints words) {
    return vreinterpretq_f32_s32(words);
  }
  template <Index Lane>
  static Vec multiply_add(Vec x, Vec column, Vec sum) {
    return multiply_add_lane<Lane>(x, column, sum);
  }
};

// The lower bfloat16 of all words first, then the upper ones, widened to float32, in which products
// are exact. Saves memory traffic, not arithmetic.
struct LaneBf16 {
  typedef Vec Operand;
  static constexpr Index kStep = 2;
  static constexpr Index kParts = 2;

  template <Index Part>
  static Vec part(Ints words) {
    return Part == 0 ? lower_bf16(words) : upper_bf16(words);
  }
  template <Index Lane>
  static Vec multiply_add(Vec x, Vec column, Vec sum) {
    return multiply_add_lane<Lane>(x, column, sum);
  }
  static void store(std::uint16_t* out, Vec x) { store_bf16(out, x); }
};

// Sixteen products of bytes per word, added in pairs in 16 bits, which hold 2 * 127 * 127, then in
// four sums of 32 bits.
struct WideningDot {
  typedef std::int8_t Cell;
  typedef std::int8_t Weight;
  typedef int8x16_t Operand;
  static constexpr Index kStep = 16;
  static constexpr std::int32_t kOffset = 0;
  static constexpr Index kTileRows = 1;
  static constexpr Index kTileColumns = 1;

  static Operand rows(const char* p, const char*) {
    return vld1q_s8(reinterpret_cast<const std::int8_t*>(p));
  }
  static Operand columns(const char* p) {
    return vld1q_s8(reinterpret_cast<const std::int8_t*>(p));
  }
  static Ints multiply_add(Operand x, Operand column, Ints sum) {
    const int16x8_t half = vmull_s8(vget_low_s8(x), vget_low_s8(column));
    return vpadalq_s16(sum, vmlal_high_s8(half, x, column));
  }
  template <Index>
  static Ints totals(const Ints* sums) {
    return vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]));
  }
  static void store(Cell* out, Ints x) { store_s8(out, x); }
};

typedef Products<F32<LaneF32>, Bf16<LaneBf16>, S8<WideningDot>> Own;

}  // namespace
}  // namespace sakedge::cpu
