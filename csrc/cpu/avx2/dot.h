#pragma once

#include "cpu/vector/bf16.h"
#include "cpu/vector/s8.h"

// Products of the arithmetics that AVX2 has no instruction for.
namespace sakedge::cpu {
namespace {

// Two products to a word, on int16: exact, where the byte instruction of this instruction set would
// saturate.
struct MaddDot {
  typedef std::int16_t Cell;
  typedef std::int16_t Weight;
  typedef Ints Operand;
  static constexpr Index kStep = 2;
  static constexpr std::int32_t kOffset = 0;

  static Operand load(const char* p) { return load_ints(p); }
  static Operand broadcast(const char* p) { return splat_ints(p); }
  static Ints multiply_add(Operand x, Operand column, Ints sum) {
    return add_ints(sum, (Ints)_mm256_madd_epi16((__m256i)x, (__m256i)column));
  }
  static void store(Cell* out, Ints x) {
    const __m256i words = (__m256i)x;
    const __m128i cells =
        _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), cells);
  }
};

}  // namespace
}  // namespace sakedge::cpu
