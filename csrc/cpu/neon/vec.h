#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "core/index.h"

// What csrc/cpu/vector/ requires of an instruction set, for Advanced SIMD of 64-bit Arm.
#ifdef __GNUC__
#define UNROLL _Pragma("GCC unroll 32")
#else
#define UNROLL
#endif

namespace sakedge::cpu {
namespace {

typedef float32x4_t Vec;
typedef int32x4_t Ints;

constexpr Index kLanes = 4;
constexpr Index kPanelVectors = 4;
constexpr Index kRowBlock = 6;  // 24 of 32 registers are sums; the others 6 rows and two columns

inline Vec splat(float x) { return vdupq_n_f32(x); }
inline Vec load(const float* p) { return vld1q_f32(p); }
inline void store(float* p, Vec x) { vst1q_f32(p, x); }
// The first `count` lanes (all if there are more), the others zero.
inline Vec load_first(const float* p, Index count) {
  const Vec zero = splat(0.0f);
  switch (count) {
    case 1:
      return vld1q_lane_f32(p, zero, 0);
    case 2:
      return vcombine_f32(vld1_f32(p), vget_low_f32(zero));
    case 3:
      return vld1q_lane_f32(p + 2, vcombine_f32(vld1_f32(p), vget_low_f32(zero)), 2);
    default:
      return load(p);
  }
}
inline void store_first(float* p, Vec x, Index count) {
  switch (count) {
    case 1:
      vst1q_lane_f32(p, x, 0);
      break;
    case 2:
      vst1_f32(p, vget_low_f32(x));
      break;
    case 3:
      vst1_f32(p, vget_low_f32(x));
      vst1q_lane_f32(p + 2, x, 2);
      break;
    default:
      store(p, x);
  }
}

// The first `count` lanes of x, the others zero.
inline Vec keep_first(Vec x, Index count) {
  const std::uint32_t lanes[kLanes] = {0, 1, 2, 3};
  const std::uint32_t kept = static_cast<std::uint32_t>(count);
  const uint32x4_t mask = vcltq_u32(vld1q_u32(lanes), vdupq_n_u32(kept));
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), mask));
}

inline Vec add(Vec a, Vec b) { return vaddq_f32(a, b); }
inline Vec sub(Vec a, Vec b) { return vsubq_f32(a, b); }
inline Vec mul(Vec a, Vec b) { return vmulq_f32(a, b); }
inline Vec div(Vec a, Vec b) { return vdivq_f32(a, b); }
inline Vec square_root(Vec a) { return vsqrtq_f32(a); }
inline Vec multiply_add(Vec a, Vec b, Vec sum) { return vfmaq_f32(sum, a, b); }
inline Vec larger(Vec a, Vec b) { return vmaxq_f32(a, b); }
inline Vec smaller(Vec a, Vec b) { return vminq_f32(a, b); }
inline Vec larger_size(Vec a, Vec b) { return vmaxq_f32(a, b); }
inline Vec absolute(Vec a) { return vabsq_f32(a); }
// a > b ? yes : no
inline Vec if_greater(Vec a, Vec b, Vec yes, Vec no) { return vbslq_f32(vcgtq_f32(a, b), yes, no); }
// Lane i is table[index[i]]; every index is below kLanes.
inline Vec lookup(Vec table, Ints index) {
  // Lane n is in bytes 4 n to 4 n + 3.
  const uint32x4_t bytes =
      vmlaq_n_u32(vdupq_n_u32(0x03020100u), vreinterpretq_u32_s32(index), 0x04040404u);
  return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(table), vreinterpretq_u8_u32(bytes)));
}
// 2^n for whole n, -126 <= n <= 127.
inline Vec power_of_two(Vec n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23));
}

inline float sum(Vec a) { return vaddvq_f32(a); }
inline float largest_size(Vec a) { return vmaxvq_f32(a); }

// Lane i is the sum of rows[i].
inline Vec sums(const Vec* rows) {
  return vpaddq_f32(vpaddq_f32(rows[0], rows[1]), vpaddq_f32(rows[2], rows[3]));
}

inline void prefetch(const char* p) { __builtin_prefetch(p, 0, 2); }  // into the second level

inline Ints load_ints(const void* p) { return vld1q_s32(static_cast<const std::int32_t*>(p)); }
inline Ints splat_ints(const void* p) { return vld1q_dup_s32(static_cast<const std::int32_t*>(p)); }
inline Ints add_ints(Ints a, Ints b) { return vaddq_s32(a, b); }
inline Ints sub_ints(Ints a, Ints b) { return vsubq_s32(a, b); }
inline Vec to_float(Ints x) { return vcvtq_f32_s32(x); }
// Rounded to nearest, ties to even.
inline Ints to_nearest(Vec x) { return vcvtnq_s32_f32(x); }

// The lower or the upper bfloat16 of each word, as a float.
inline Vec lower_bf16(Ints x) { return vreinterpretq_f32_s32(vshlq_n_s32(x, 16)); }
inline Vec upper_bf16(Ints x) {
  const uint32x4_t mask = vdupq_n_u32(0xffff0000u);
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_s32(x), mask));
}
// Rounded to nearest even.
inline void store_bf16(std::uint16_t* out, Vec x) {
  const uint32x4_t bits = vreinterpretq_u32_f32(x);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t half = vaddq_u32(vdupq_n_u32(0x7fff), odd);
  vst1_u16(out, vshrn_n_u32(vaddq_u32(bits, half), 16));
}

// Stores four int8; x must be in range.
inline void store_s8(std::int8_t* out, Ints x) {
  const int16x4_t half = vmovn_s32(x);
  const int8x8_t bytes = vmovn_s16(vcombine_s16(half, half));
  vst1_lane_s32(reinterpret_cast<std::int32_t*>(out), vreinterpret_s32_s8(bytes), 0);
}

}  // namespace
}  // namespace sakedge::cpu
