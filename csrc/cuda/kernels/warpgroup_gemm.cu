#include "cuda/device/types.h"

// Of sm_90a alone, and of the emulator.
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

#include "cuda/kernels/warpgroup_gemm.h"

#define SAK_WARPGROUP_TILE(name, ...) SAK_GEMM_ENTRIES(WarpgroupGemm, name)
#include "cuda/kernels/warpgroup_tiles.def"

#endif
