#include "cuda/device/types.h"

// Of sm_90a alone, and of the emulator.
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

#include "cuda/kernels/warpgroup_gemm.h"

#define SAK_GEMM_ENTRY(name, T, tile)                                                      \
  SAK_ENTRY(name, sakedge::cuda::tile::kTile.threads(), sakedge::cuda::tile::kTile.blocks, \
            GemmArgs) {                                                                    \
    sakedge::cuda::WarpgroupGemm<T, sakedge::cuda::tile>(args).run();                      \
  }
#define SAK_WARPGROUP_TILE(name, ...)                                      \
  SAK_GEMM_ENTRY(gemm_f16_##name, sakedge::cuda::Half, GemmTile_##name)    \
  SAK_GEMM_ENTRY(gemm_bf16_##name, sakedge::cuda::Bfloat, GemmTile_##name) \
  SAK_GEMM_ENTRY(gemm_s8_##name, int8_t, GemmTile_##name)
#include "cuda/kernels/warpgroup_tiles.def"

#undef SAK_GEMM_ENTRY
#endif
