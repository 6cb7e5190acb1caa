#include "cuda/kernels/gemm.h"

#define SAK_GEMM_TILE(name, ...) SAK_GEMM_ENTRIES(Gemm, name)
#include "cuda/kernels/tiles.def"
