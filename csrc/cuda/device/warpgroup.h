// Products of a warpgroup, four warps, whose operands both lie in shared memory: Hopper's own
// instructions (sm_90a), twice as fast as those of device.h. They read and add up while the threads
// go on.
#pragma once

#include "cuda/device/device.h"

#ifdef __CUDACC__

// The registers of sums of 64, 128 and 256 columns.
#define SAK_SUMS_64                                                                       \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, " \
  "%19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define SAK_SUMS_128                                                                   \
  SAK_SUMS_64                                                                          \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define SAK_SUMS_256                                                                      \
  SAK_SUMS_128                                                                            \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "    \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, " \
  "%97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, "     \
  "%111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, "  \
  "%125, %126, %127"
// Their variables, from column 8 i on.
#define SAK_OF_8(kind, i) kind(d[i][0]), kind(d[i][1]), kind(d[i][2]), kind(d[i][3])
#define SAK_OF_32(kind, i) \
  SAK_OF_8(kind, i), SAK_OF_8(kind, i + 1), SAK_OF_8(kind, i + 2), SAK_OF_8(kind, i + 3)
#define SAK_OF_64(kind) SAK_OF_32(kind, 0), SAK_OF_32(kind, 4)
#define SAK_OF_128(kind) SAK_OF_64(kind), SAK_OF_32(kind, 8), SAK_OF_32(kind, 12)
#define SAK_OF_256(kind)                                                           \
  SAK_OF_128(kind), SAK_OF_32(kind, 16), SAK_OF_32(kind, 20), SAK_OF_32(kind, 24), \
      SAK_OF_32(kind, 28)

// d[64, columns] += a[64, k] b[columns, k]^T of a warpgroup, k being 32 bytes; `a` and `b` say
// where. Sums lie as in multiply_16 (tile.h), 16 rows of them with each warp.
#define SAK_WARPGROUP_MULTIPLY(columns, a_at, b_at, one_at, Sum, kind, T, shape, options)   \
  SAK_DEVICE void multiply(Sum(&d)[columns / 8][4], uint64_t a, uint64_t b, T) {            \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " one_at                                 \
                 ", 0;\n"                                                                   \
                 "wgmma.mma_async.sync.aligned.m64n" #columns shape " {" SAK_SUMS_##columns \
                 "}, " a_at ", " b_at ", p" options ";\n}\n"                                \
                 : SAK_OF_##columns(kind)                                                   \
                 : "l"(a), "l"(b), "r"(1)                                                   \
                 : "memory");                                                               \
  }
#define SAK_WARPGROUP_MULTIPLIES(columns, a_at, b_at, one_at)                                   \
  SAK_WARPGROUP_MULTIPLY(columns, a_at, b_at, one_at, float, "+f", Half, "k16.f32.f16.f16",     \
                         ", 1, 1, 0, 0")                                                        \
  SAK_WARPGROUP_MULTIPLY(columns, a_at, b_at, one_at, float, "+f", Bfloat, "k16.f32.bf16.bf16", \
                         ", 1, 1, 0, 0")                                                        \
  SAK_WARPGROUP_MULTIPLY(columns, a_at, b_at, one_at, int32_t, "+r", int8_t, "k32.s32.s8.s8", "")

namespace sakedge::cuda::dev {

SAK_WARPGROUP_MULTIPLIES(64, "%32", "%33", "%34")
SAK_WARPGROUP_MULTIPLIES(128, "%64", "%65", "%66")
SAK_WARPGROUP_MULTIPLIES(256, "%128", "%129", "%130")

// Products see what copies of this thread that have landed wrote to shared memory.
SAK_DEVICE void warpgroup_sees_copies() {
  asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory");
}
// Before the first product of a group: its sums are in their registers.
SAK_DEVICE void warpgroup_begin() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }
SAK_DEVICE void warpgroup_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory");
}
// A sum that all products of were waited for: whoever reads it does so afterwards.
SAK_DEVICE void warpgroup_done(float& sum) { asm volatile("" : "+f"(sum)::"memory"); }
SAK_DEVICE void warpgroup_done(int32_t& sum) { asm volatile("" : "+r"(sum)::"memory"); }
// Waits until at most `Left` groups of products are under way. Until then their operands must stay,
// and nobody may look at their sums.
template <int Left>
SAK_DEVICE void warpgroup_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(Left) : "memory");
}

}  // namespace sakedge::cuda::dev

#else
#include "emulator/warpgroup.h"
#endif
