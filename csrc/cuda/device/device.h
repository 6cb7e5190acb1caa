// What a kernel may ask of the machine. A device compiler sees PTX, and PTX is written nowhere
// else; every other compiler sees the emulator of tests/cuda, which brings the same names.
#pragma once

#include "cuda/device/types.h"

#ifdef __CUDACC__

// Entry of a kernel: `args` is its one parameter, by value. Threads of a block; blocks that must
// fit on a multiprocessor side by side, which bounds the registers.
#define SAK_ENTRY(name, threads, blocks, Args)                  \
  extern "C" __global__ void __launch_bounds__(threads, blocks) \
      name(const __grid_constant__ sakedge::cuda::Args args)
#define SAK_DEVICE __device__ __forceinline__
#define SAK_UNROLL _Pragma("unroll")
#define SAK_ROLLED _Pragma("unroll 1")  // where a copy for each round would only be more code

namespace sakedge::cuda::dev {

SAK_DEVICE int thread() { return static_cast<int>(threadIdx.x); }
SAK_DEVICE int block_x() { return static_cast<int>(blockIdx.x); }
SAK_DEVICE int block_y() { return static_cast<int>(blockIdx.y); }
SAK_DEVICE int block_z() { return static_cast<int>(blockIdx.z); }

// The block's shared memory, aligned to 1024 bytes; as much as the launch asks for.
SAK_DEVICE unsigned char* shared() {
  extern __shared__ __align__(1024) unsigned char bytes[];
  return bytes;
}
SAK_DEVICE unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
// T has 1, 2, 4, 8 or 16 bytes and is aligned to its size.
template <class T>
SAK_DEVICE T load_shared(const T* p) {
  return *p;
}
template <class T>
SAK_DEVICE void store_shared(T* p, T value) {
  *p = value;
}
template <class T>
SAK_DEVICE T load_global(const T* p) {
  return *p;
}
template <class T>
SAK_DEVICE void store_global(T* p, T value) {
  *p = value;
}

SAK_DEVICE void barrier() { __syncthreads(); }
SAK_DEVICE void warp_barrier() { __syncwarp(); }
SAK_DEVICE float shuffle_xor(float v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
// Whether it holds in any thread of the warp.
SAK_DEVICE bool any(bool v) { return __any_sync(0xffffffffu, v) != 0; }

// 16 bytes from global to shared memory, zeros where not `valid` (then `from` is not read). Lands
// when its group is waited for, at the latest.
SAK_DEVICE void copy_async(void* to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(to)),
               "l"(from), "r"(valid ? 16 : 0)
               : "memory");
}
SAK_DEVICE void copy_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
// Waits until at most `Left` of the thread's groups have not landed.
template <int Left>
SAK_DEVICE void copy_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(Left) : "memory");
}

// Four 8 x 8 matrices of 16-bit elements; lane l gives the address of row l % 8 of matrix l / 8,
// and gets elements (l / 4, 2 * (l % 4)) and the next of each matrix.
SAK_DEVICE void load_matrices(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
// The same of the transposed matrices.
SAK_DEVICE void load_matrices_transposed(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// d[16, 8] += a[16, 16] b[16, 8], sums in float32.
SAK_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Half) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
SAK_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Bfloat) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// d[16, 8] = c[16, 8] + a[16, 16] b[16, 8]: a sum that begins with c takes no copy of it.
SAK_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                         const float (&c)[4], Half) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};\n"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]),
        "f"(c[2]), "f"(c[3]));
}
SAK_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                         const float (&c)[4], Bfloat) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};\n"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]),
        "f"(c[2]), "f"(c[3]));
}
// d[16, 8] += a[16, 32] b[32, 8] of int8, sums in int32, exact.
SAK_DEVICE void multiply(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], int8_t) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Two values as T, the first in the low half; to the nearest even.
SAK_DEVICE uint32_t pack(float low, float high, Half) {
  uint32_t d;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;\n" : "=r"(d) : "f"(high), "f"(low));
  return d;
}
SAK_DEVICE uint32_t pack(float low, float high, Bfloat) {
  uint32_t d;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(d) : "f"(high), "f"(low));
  return d;
}
SAK_DEVICE float to_float(Half h) {
  float f;
  asm("cvt.f32.f16 %0, %1;\n" : "=f"(f) : "h"(h.bits));
  return f;
}
SAK_DEVICE float to_float(Bfloat b) { return __uint_as_float(static_cast<uint32_t>(b.bits) << 16); }

// 2^x and 1 / sqrt(x), each to about 2^-22.
SAK_DEVICE float exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}
SAK_DEVICE float rsqrt(float x) {
  float y;
  asm("rsqrt.approx.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}
// Error function, to 2 units in the last place.
SAK_DEVICE float erf(float x) { return ::erff(x); }
SAK_DEVICE float fma(float a, float b, float c) { return ::fmaf(a, b, c); }
SAK_DEVICE float max(float a, float b) { return ::fmaxf(a, b); }
SAK_DEVICE float abs(float a) { return ::fabsf(a); }
SAK_DEVICE float round_even(float a) { return ::rintf(a); }
SAK_DEVICE bool is_finite(float a) { return ::fabsf(a) <= 3.402823466e38f; }

}  // namespace sakedge::cuda::dev

#else
#include "emulator/device.h"
#endif

namespace sakedge::cuda::dev {

template <class T>
SAK_DEVICE T to(float f) {
  return T{static_cast<uint16_t>(pack(f, 0.0f, T{}))};
}
template <class T>
SAK_DEVICE void unpack(uint32_t two, float& low, float& high, T) {
  low = to_float(T{static_cast<uint16_t>(two)});
  high = to_float(T{static_cast<uint16_t>(two >> 16)});
}

}  // namespace sakedge::cuda::dev
