// Types that kernels and those who launch them share. Nothing is included under a device compiler,
// which is given no headers.
#pragma once

#ifdef __CUDACC__
using int8_t = signed char;
using uint8_t = unsigned char;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
#else
#include <cstdint>
#endif

namespace sakedge::cuda {

// 16-bit floats as they lie in memory.
struct Half {
  uint16_t bits;
};
struct Bfloat {
  uint16_t bits;
};

// What one instruction loads or stores.
struct alignas(8) Words2 {
  uint32_t x[2];
};
struct alignas(16) Words4 {
  uint32_t x[4];
};
struct alignas(8) Floats2 {
  float x[2];
};
struct alignas(16) Floats4 {
  float x[4];
};

}  // namespace sakedge::cuda
