#include "cuda/kernels/patches.h"

SAK_ENTRY(patches_f16, sakedge::cuda::kPatchThreads, 8, PatchesArgs) {
  sakedge::cuda::patches<sakedge::cuda::Half>(args);
}
SAK_ENTRY(patches_bf16, sakedge::cuda::kPatchThreads, 8, PatchesArgs) {
  sakedge::cuda::patches<sakedge::cuda::Bfloat>(args);
}
