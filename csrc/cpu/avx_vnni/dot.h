#pragma once

#include "cpu/avx_vnni/bytes.h"

namespace sakedge::cpu {
namespace {

// In the encoding of AVX, which CPUs without AVX-512 have.
struct Vex {
  static __m256i dpbusd(__m256i sum, __m256i x, __m256i column) {
    return _mm256_dpbusd_avx_epi32(sum, x, column);
  }
};

typedef Products<Inherited, Inherited, S8<ByteDot<Vex>>> Own;

}  // namespace
}  // namespace sakedge::cpu
