#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/index.h"

// What csrc/cpu/vector/ requires of an instruction set, for AVX-512 F, BW, DQ and VL.
#ifdef __GNUC__
#define UNROLL _Pragma("GCC unroll 32")
#else
#define UNROLL
#endif

namespace sakedge::cpu {
namespace {

typedef __m512 Vec;
#ifdef __GNUC__
// Not __m512i: gcc 12 keeps arrays of those in memory.
typedef std::int32_t Ints __attribute__((vector_size(64)));
#else
typedef __m512i Ints;
#endif

constexpr Index kLanes = 16;
constexpr Index kPanelVectors = 2;
constexpr Index kRowBlock = 14;  // 28 of 32 registers are sums; the others a row and two columns

inline __mmask16 first(Index count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffff : (1u << count) - 1u);
}

inline Vec splat(float x) { return _mm512_set1_ps(x); }
inline Vec load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Vec x) { _mm512_storeu_ps(p, x); }
// The first `count` lanes (all if there are more), the others zero.
inline Vec load_first(const float* p, Index count) {
  return _mm512_maskz_loadu_ps(first(count), p);
}
inline void store_first(float* p, Vec x, Index count) { _mm512_mask_storeu_ps(p, first(count), x); }

// The first `count` lanes of x, the others zero.
inline Vec keep_first(Vec x, Index count) { return _mm512_maskz_mov_ps(first(count), x); }

inline Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
inline Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
inline Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
inline Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
inline Vec square_root(Vec a) { return _mm512_sqrt_ps(a); }
inline Vec multiply_add(Vec a, Vec b, Vec sum) { return _mm512_fmadd_ps(a, b, sum); }
inline Vec larger(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline Vec smaller(Vec a, Vec b) { return _mm512_min_ps(a, b); }
inline Vec larger_size(Vec a, Vec b) {  // as integers, where NaN is above infinity
  return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
inline Vec absolute(Vec a) { return _mm512_abs_ps(a); }
// a > b ? yes : no
inline Vec if_greater(Vec a, Vec b, Vec yes, Vec no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), no, yes);
}
// Lane i is table[index[i]]; every index is below kLanes.
inline Vec lookup(Vec table, Ints index) { return _mm512_permutexvar_ps((__m512i)index, table); }
// 2^n for whole n, -126 <= n <= 127.
inline Vec power_of_two(Vec n) { return _mm512_scalef_ps(_mm512_set1_ps(1.0f), n); }
inline float sum(Vec a) { return _mm512_reduce_add_ps(a); }
inline float largest_size(Vec a) {
  const std::int32_t bits = _mm512_reduce_max_epi32(_mm512_castps_si512(a));
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(bits)));
}

// Lane i is the sum of rows[i].
inline Vec sums(const Vec* rows) {
  Vec half[8];
  UNROLL for (Index i = 0; i < 8; ++i) {  // 2 rows in a register, 8 sums left to form
    const Vec low = _mm512_shuffle_f32x4(rows[i], rows[i + 8], 0x44);
    const Vec high = _mm512_shuffle_f32x4(rows[i], rows[i + 8], 0xee);
    half[i] = add(low, high);  // rows[i] in the lower half, rows[i + 8] in the upper
  }
  Vec quarter[4];
  UNROLL for (Index i = 0; i < 4; ++i) {
    const Vec even = _mm512_shuffle_f32x4(half[i], half[i + 4], 0x88);
    const Vec odd = _mm512_shuffle_f32x4(half[i], half[i + 4], 0xdd);
    quarter[i] = add(even, odd);  // 128-bit lanes: rows i, i + 8, i + 4, i + 12
  }
  const Vec a =
      add(_mm512_unpacklo_ps(quarter[0], quarter[1]), _mm512_unpackhi_ps(quarter[0], quarter[1]));
  const Vec b =
      add(_mm512_unpacklo_ps(quarter[2], quarter[3]), _mm512_unpackhi_ps(quarter[2], quarter[3]));
  const Vec total = add(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
  return _mm512_shuffle_f32x4(total, total, 0xd8);  // lanes 0, 8, 4, 12 into order
}

inline void prefetch(const char* p) { _mm_prefetch(p, _MM_HINT_T1); }

inline Ints load_ints(const void* p) { return (Ints)_mm512_loadu_si512(p); }
inline Ints splat_ints(const void* p) {
  return (Ints)_mm512_set1_epi32(*static_cast<const std::int32_t*>(p));
}
inline Ints add_ints(Ints a, Ints b) { return (Ints)_mm512_add_epi32((__m512i)a, (__m512i)b); }
inline Ints sub_ints(Ints a, Ints b) { return (Ints)_mm512_sub_epi32((__m512i)a, (__m512i)b); }
inline Vec to_float(Ints x) { return _mm512_cvtepi32_ps((__m512i)x); }
// Rounded to nearest, ties to even.
inline Ints to_nearest(Vec x) { return (Ints)_mm512_cvtps_epi32(x); }

// sum + the products of each word's two int16.
inline Ints add_pairs(Ints x, Ints y, Ints sum) {
  return add_ints(sum, (Ints)_mm512_madd_epi16((__m512i)x, (__m512i)y));
}
inline void store_s16(std::int16_t* out, Ints x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi32_epi16((__m512i)x));
}

// The lower or the upper bfloat16 of each word, as a float.
inline Vec lower_bf16(Ints x) { return _mm512_castsi512_ps(_mm512_slli_epi32((__m512i)x, 16)); }
inline Vec upper_bf16(Ints x) {
  const __m512i mask = _mm512_set1_epi32(static_cast<std::int32_t>(0xffff0000));
  return _mm512_castsi512_ps(_mm512_and_si512((__m512i)x, mask));
}
// Rounded to nearest even.
inline void store_bf16(std::uint16_t* out, Vec x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(_mm512_set1_epi32(0x7fff), odd);
  const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi32_epi16(rounded));
}

}  // namespace
}  // namespace sakedge::cpu
