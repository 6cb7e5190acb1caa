#include "cuda/kernels/attention.h"

#define SAK_ATTENTION(name, T, queries)                                                       \
  SAK_ENTRY(name, sakedge::cuda::kAttentionThreads, sakedge::cuda::attention_blocks(queries), \
            AttentionArgs) {                                                                  \
    sakedge::cuda::attention<sakedge::cuda::T, queries>(args);                                \
  }

SAK_ATTENTION(attention_f16_64, Half, 64)
SAK_ATTENTION(attention_f16_128, Half, 128)
SAK_ATTENTION(attention_bf16_64, Bfloat, 64)
SAK_ATTENTION(attention_bf16_128, Bfloat, 128)
