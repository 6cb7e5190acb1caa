#pragma once

#include "cpu/avx_vnni/bytes.h"

namespace sakedge::cpu {
namespace {

// In AVX2, exactly: even and odd bytes are widened, multiplied and added in pairs.
struct Emulated {
  static __m256i dpbusd(__m256i sum, __m256i x, __m256i column) {
    const __m256i even = _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(255)),
                                           _mm256_srai_epi16(_mm256_slli_epi16(column, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(x, 8), _mm256_srai_epi16(column, 8));
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
  }
};

typedef Products<Inherited, Inherited, S8<ByteDot<Emulated>>> Own;

}  // namespace
}  // namespace sakedge::cpu
