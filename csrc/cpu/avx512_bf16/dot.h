#pragma once

#include "cpu/avx512/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/avx512/gelu.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/products.h"

namespace sakedge::cpu {
namespace {

struct Avx512Bf16Dot : WordOperands {
  static constexpr Index kStep = 2;

  static Vec multiply_add(Operand x, Operand column, Vec sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)column);
  }
  static void store(std::uint16_t* out, Vec x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), (__m256i)_mm512_cvtneps_pbh(x));
  }
};

typedef Products<Inherited, Bf16<Avx512Bf16Dot>, Inherited> Own;

}  // namespace
}  // namespace sakedge::cpu
