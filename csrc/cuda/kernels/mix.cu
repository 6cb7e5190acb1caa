#include "cuda/kernels/mix.h"

#define SAK_MIX_ENTRY(name, T, width, blocks)                    \
  SAK_ENTRY(name, sakedge::cuda::kMixThreads, blocks, MixArgs) { \
    sakedge::cuda::Mix<T, width>(args).run();                    \
  }
#define SAK_MIX(width, blocks)                                       \
  SAK_MIX_ENTRY(mix_f16_##width, sakedge::cuda::Half, width, blocks) \
  SAK_MIX_ENTRY(mix_bf16_##width, sakedge::cuda::Bfloat, width, blocks)

SAK_MIX(64, 2)
SAK_MIX(96, 2)
SAK_MIX(192, 2)
SAK_MIX(256, 1)
