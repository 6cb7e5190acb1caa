#include "cuda/kernels/attention.h"

#define SAK_ATTENTION(name, T, splits)                                \
  SAK_ENTRY(name, sakedge::cuda::attention_threads(splits),           \
            sakedge::cuda::attention_blocks(splits), AttentionArgs) { \
    sakedge::cuda::attention<sakedge::cuda::T, splits>(args);         \
  }

SAK_ATTENTION(attention_f16_2, Half, 2)
SAK_ATTENTION(attention_f16_4, Half, 4)
SAK_ATTENTION(attention_bf16_2, Bfloat, 2)
SAK_ATTENTION(attention_bf16_4, Bfloat, 4)
