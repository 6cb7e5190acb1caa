#include "cuda/kernels/gemm.h"

#define SAK_GEMM_ENTRY(name, T, id)                                                              \
  SAK_ENTRY(name, sakedge::cuda::kGemmTiles[id].threads(), sakedge::cuda::kGemmTiles[id].blocks, \
            GemmArgs) {                                                                          \
    sakedge::cuda::Gemm<T, id>(args).run();                                                      \
  }
#define SAK_GEMM_TILE(name, ...)                                                       \
  SAK_GEMM_ENTRY(gemm_f16_##name, sakedge::cuda::Half, sakedge::cuda::kGemm_##name)    \
  SAK_GEMM_ENTRY(gemm_bf16_##name, sakedge::cuda::Bfloat, sakedge::cuda::kGemm_##name) \
  SAK_GEMM_ENTRY(gemm_s8_##name, int8_t, sakedge::cuda::kGemm_##name)
#include "cuda/kernels/tiles.def"
