#include "cuda/kernels/head_expand.h"

#define SAK_EXPAND_ENTRY(name, T, classes)                                                       \
  SAK_ENTRY(name, sakedge::cuda::expand_threads(classes), sakedge::cuda::expand_blocks(classes), \
            ExpandArgs) {                                                                        \
    sakedge::cuda::HeadExpand<T, classes>(args).run();                                           \
  }
#define SAK_EXPAND(classes)                                                 \
  SAK_EXPAND_ENTRY(head_expand_f16_##classes, sakedge::cuda::Half, classes) \
  SAK_EXPAND_ENTRY(head_expand_bf16_##classes, sakedge::cuda::Bfloat, classes)

SAK_EXPAND(24)
SAK_EXPAND(64)
