#pragma once

#include "cpu/avx512/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/avx512/gelu.h"
#include "cpu/vector/products.h"
#include "cpu/vector/s8.h"

namespace sakedge::cpu {
namespace {

// Four products per word: the instruction multiplies unsigned bytes, here of the row, with signed
// ones, of the matrix. So a row's numbers are stored with an offset of 128.
struct VnniDot : WordOperands {
  typedef std::uint8_t Cell;
  typedef std::int8_t Weight;
  static constexpr Index kStep = 4;
  static constexpr std::int32_t kOffset = 128;

  static Ints multiply_add(Operand x, Operand column, Ints sum) {
    return (Ints)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)column);
  }
  static void store(Cell* out, Ints x) {
    const __m128i bytes = _mm512_cvtepi32_epi8((__m512i)x);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_xor_si128(bytes, _mm_set1_epi8(-128)));
  }
};

typedef Products<Inherited, Inherited, S8<VnniDot>> Own;

}  // namespace
}  // namespace sakedge::cpu
