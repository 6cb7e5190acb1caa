#pragma once

#include "cpu/vector/bf16.h"
#include "cpu/vector/s8.h"

// Products of the arithmetics that plain AVX-512 has no instruction for.
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
    return add_ints(sum, (Ints)_mm512_madd_epi16((__m512i)x, (__m512i)column));
  }
  static void store(Cell* out, Ints x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi32_epi16((__m512i)x));
  }
};

}  // namespace
}  // namespace sakedge::cpu
