#pragma once

#include "cpu/vector/bf16.h"

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

}  // namespace
}  // namespace sakedge::cpu
