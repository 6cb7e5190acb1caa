#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/index.h"

// What csrc/cpu/vector/ requires of an instruction set, for AVX2 with FMA.
#ifdef __GNUC__
#define UNROLL _Pragma("GCC unroll 32")
#else
#define UNROLL
#endif

namespace sakedge::cpu {
namespace {

typedef __m256 Vec;
#ifdef __GNUC__
// Not __m256i: gcc 12 keeps arrays of those in memory.
typedef std::int32_t Ints __attribute__((vector_size(32)));
#else
typedef __m256i Ints;
#endif

constexpr Index kLanes = 8;
constexpr Index kPanelVectors = 2;
constexpr Index kRowBlock = 6;  // 12 of 16 registers are sums; the others a row and two columns

// The mask of the first `count` lanes is the eight words from kFirst + 8 - count on.
alignas(64) constexpr std::int32_t kFirst[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

inline __m256i first(Index count) {
  const std::int32_t* words = kFirst + kLanes - (count < kLanes ? count : kLanes);
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
}

inline Vec splat(float x) { return _mm256_set1_ps(x); }
inline Vec load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Vec x) { _mm256_storeu_ps(p, x); }
// The first `count` lanes (all if there are more), the others zero.
inline Vec load_first(const float* p, Index count) { return _mm256_maskload_ps(p, first(count)); }
inline void store_first(float* p, Vec x, Index count) { _mm256_maskstore_ps(p, first(count), x); }

// The first `count` lanes of x, the others zero.
inline Vec keep_first(Vec x, Index count) {
  return _mm256_and_ps(x, _mm256_castsi256_ps(first(count)));
}

inline Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
inline Vec sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
inline Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
inline Vec div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
inline Vec square_root(Vec a) { return _mm256_sqrt_ps(a); }
inline Vec multiply_add(Vec a, Vec b, Vec sum) { return _mm256_fmadd_ps(a, b, sum); }
inline Vec larger(Vec a, Vec b) { return _mm256_max_ps(a, b); }
inline Vec smaller(Vec a, Vec b) { return _mm256_min_ps(a, b); }
inline Vec larger_size(Vec a, Vec b) {  // as integers, where NaN is above infinity
  return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
inline Vec absolute(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
// a > b ? yes : no
inline Vec if_greater(Vec a, Vec b, Vec yes, Vec no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_GT_OQ));
}
// Lane i is table[index[i]]; every index is below kLanes.
inline Vec lookup(Vec table, Ints index) { return _mm256_permutevar8x32_ps(table, (__m256i)index); }
// 2^n for whole n, -126 <= n <= 127.
inline Vec power_of_two(Vec n) {
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}

inline float sum(Vec a) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
inline float largest_size(Vec a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m128i half =
      _mm_max_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1));
  const __m128i pair = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0x4e));
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_max_epi32(pair, _mm_shuffle_epi32(pair, 0xb1))));
}

// Lane i is the sum of rows[i].
inline Vec sums(const Vec* rows) {
  Vec half[4];
  UNROLL for (Index i = 0; i < 4; ++i) {  // rows[i] in the lower half, rows[i + 4] in the upper
    const Vec low = _mm256_permute2f128_ps(rows[i], rows[i + 4], 0x20);
    const Vec high = _mm256_permute2f128_ps(rows[i], rows[i + 4], 0x31);
    half[i] = add(low, high);
  }
  const Vec a = add(_mm256_unpacklo_ps(half[0], half[1]), _mm256_unpackhi_ps(half[0], half[1]));
  const Vec b = add(_mm256_unpacklo_ps(half[2], half[3]), _mm256_unpackhi_ps(half[2], half[3]));
  return add(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xee));
}

inline void prefetch(const char* p) { _mm_prefetch(p, _MM_HINT_T1); }

inline Ints load_ints(const void* p) {
  return (Ints)_mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline Ints splat_ints(const void* p) {
  return (Ints)_mm256_set1_epi32(*static_cast<const std::int32_t*>(p));
}
inline Ints add_ints(Ints a, Ints b) { return (Ints)_mm256_add_epi32((__m256i)a, (__m256i)b); }
inline Ints sub_ints(Ints a, Ints b) { return (Ints)_mm256_sub_epi32((__m256i)a, (__m256i)b); }
inline Vec to_float(Ints x) { return _mm256_cvtepi32_ps((__m256i)x); }
// Rounded to nearest, ties to even.
inline Ints to_nearest(Vec x) { return (Ints)_mm256_cvtps_epi32(x); }

// sum + the products of each word's two int16.
inline Ints add_pairs(Ints x, Ints y, Ints sum) {
  return add_ints(sum, (Ints)_mm256_madd_epi16((__m256i)x, (__m256i)y));
}
inline void store_s16(std::int16_t* out, Ints x) {
  const __m256i words = (__m256i)x;
  const __m128i cells =
      _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), cells);
}

// The lower or the upper bfloat16 of each word, as a float.
inline Vec lower_bf16(Ints x) { return _mm256_castsi256_ps(_mm256_slli_epi32((__m256i)x, 16)); }
inline Vec upper_bf16(Ints x) {
  const __m256i mask = _mm256_set1_epi32(static_cast<std::int32_t>(0xffff0000));
  return _mm256_castsi256_ps(_mm256_and_si256((__m256i)x, mask));
}
// Rounded to nearest even.
inline void store_bf16(std::uint16_t* out, Vec x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i half = _mm256_add_epi32(_mm256_set1_epi32(0x7fff), odd);
  const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), words);
}

}  // namespace
}  // namespace sakedge::cpu
