// What CuTe's headers use of CUDA's, as far as its layouts need: types, and names that are never
// called. So the tests need no toolkit.
#pragma once

#include <array>
#include <cassert>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#define __host__
#define __device__
#define __global__
#define __forceinline__ inline
#define __align__(n) __attribute__((aligned(n)))

namespace cuda {
namespace std = ::std;
}

using cudaError_t = int;
using cudaStream_t = void*;
enum { cudaSuccess = 0 };
const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();

template <class T, int kTag>
struct Two {
  T x, y;
};
template <class T, int kTag>
struct Four {
  T x, y, z, w;
};
struct dim3 {
  unsigned x, y, z;
};
struct uint3 {
  unsigned x, y, z;
};
using int2 = Two<int, 0>;
using uint2 = Two<unsigned, 0>;
using float2 = Two<float, 0>;
using double2 = Two<double, 0>;
using longlong2 = Two<long long, 0>;
using ulonglong2 = Two<unsigned long long, 0>;
using int4 = Four<int, 0>;
using uint4 = Four<unsigned, 0>;
using long4 = Four<long, 0>;
using ulong4 = Four<unsigned long, 0>;
using float4 = Four<float, 0>;
using double4 = Four<double, 0>;
using longlong4 = Four<long long, 0>;
using ulonglong4 = Four<unsigned long long, 0>;
using cuFloatComplex = Two<float, 1>;
using cuDoubleComplex = Two<double, 1>;
float cuCrealf(cuFloatComplex);
float cuCimagf(cuFloatComplex);
double cuCreal(cuDoubleComplex);
double cuCimag(cuDoubleComplex);
cuFloatComplex make_cuFloatComplex(float, float);
cuDoubleComplex make_cuDoubleComplex(double, double);

struct __half_raw;
struct __half {
  unsigned short x;
  __half() = default;
  __half(__half_raw);
};
struct __half_raw {
  unsigned short x;
  __half_raw() = default;
  __half_raw(__half);
};
using half = __half;
using __half2 = Two<__half, 0>;
using half2 = __half2;
float __half2float(__half);
__half __float2half(float);

struct __nv_bfloat16_raw;
struct __nv_bfloat16 {
  unsigned short x;
  __nv_bfloat16() = default;
  __nv_bfloat16(__nv_bfloat16_raw);
};
struct __nv_bfloat16_raw {
  unsigned short x;
  __nv_bfloat16_raw() = default;
  __nv_bfloat16_raw(__nv_bfloat16);
};
using __nv_bfloat162 = Two<__nv_bfloat16, 0>;
