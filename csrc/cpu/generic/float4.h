#pragma once

#include <string.h>

namespace sakedge::cpu {
namespace {

// Four floats in one register on every baseline (SSE2, Advanced SIMD). Left to itself, gcc 12
// vectorises the matrix product along the wrong loop: a quarter of the speed.
#if defined(__GNUC__)
typedef float Float4 __attribute__((vector_size(16)));

inline Float4 splat4(float x) { return Float4{x, x, x, x}; }
inline Float4 multiply_add(Float4 a, Float4 b, Float4 sum) { return a * b + sum; }
#else
struct Float4 {
  float lane[4];
};

inline Float4 splat4(float x) { return {{x, x, x, x}}; }
inline Float4 multiply_add(Float4 a, Float4 b, Float4 sum) {
  for (int i = 0; i < 4; ++i) {
    sum.lane[i] += a.lane[i] * b.lane[i];
  }
  return sum;
}
#endif

// Any alignment.
inline Float4 load4(const float* source) {
  Float4 value;
  memcpy(&value, source, sizeof(value));
  return value;
}

inline void store4(float* target, Float4 value) { memcpy(target, &value, sizeof(value)); }

}  // namespace
}  // namespace sakedge::cpu
