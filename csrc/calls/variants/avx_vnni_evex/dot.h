#pragma once

#include "cpu/avx_vnni/bytes.h"

namespace sakedge::cpu {
namespace {

// In the encoding of AVX-512, for CPUs that have it and no AVX-VNNI.
struct Evex {
  static __m256i dpbusd(__m256i sum, __m256i x, __m256i column) {
    return _mm256_dpbusd_epi32(sum, x, column);
  }
};

typedef Products<Inherited, Inherited, S8<ByteDot<Evex>>> Own;

}  // namespace
}  // namespace sakedge::cpu
