#pragma once

#include "cpu/avx2/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/vector/products.h"
#include "cpu/vector/rational_gelu.h"
#include "cpu/vector/s8.h"

namespace sakedge::cpu {
namespace {

// Four products per word by an instruction that multiplies unsigned bytes, here of the row, with
// signed ones, of the matrix. So a row's numbers are stored with an offset of 128. `Instruction`
// provides dpbusd(sum, unsigned, signed) on 256 bits; the kernels are the same however it is
// encoded.
template <typename Instruction>
struct ByteDot : WordOperands {
  typedef std::uint8_t Cell;
  typedef std::int8_t Weight;
  static constexpr Index kStep = 4;
  static constexpr std::int32_t kOffset = 128;

  static Ints multiply_add(Operand x, Operand column, Ints sum) {
    return (Ints)Instruction::dpbusd((__m256i)sum, (__m256i)x, (__m256i)column);
  }
  static void store(Cell* out, Ints x) {
    const __m256i words = (__m256i)x;
    const __m128i pairs =
        _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    const __m128i bytes = _mm_packs_epi16(pairs, pairs);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_xor_si128(bytes, _mm_set1_epi8(-128)));
  }
};

}  // namespace
}  // namespace sakedge::cpu
