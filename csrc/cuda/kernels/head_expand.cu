#include "cuda/kernels/head_expand.h"

#define SAK_EXPAND_ENTRY(name, T, classes, blocks)                              \
  SAK_ENTRY(name, sakedge::cuda::expand_threads(classes), blocks, ExpandArgs) { \
    sakedge::cuda::HeadExpand<T, classes>(args).run();                          \
  }
#define SAK_EXPAND(classes, blocks)                                                 \
  SAK_EXPAND_ENTRY(head_expand_f16_##classes, sakedge::cuda::Half, classes, blocks) \
  SAK_EXPAND_ENTRY(head_expand_bf16_##classes, sakedge::cuda::Bfloat, classes, blocks)

// Blocks side by side as the registers allow: strips of four tokens take up to 168.
SAK_EXPAND(24, 3)
SAK_EXPAND(64, 1)
