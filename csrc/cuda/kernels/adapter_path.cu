#include "cuda/kernels/adapter_path.h"

#define SAK_ADAPTER_ENTRY(name, T, tokens, width)                                \
  SAK_ENTRY(name, sakedge::cuda::kTokenThreads,                                  \
            (sakedge::cuda::AdapterTile{tokens, width}.blocks()), AdapterArgs) { \
    sakedge::cuda::AdapterPath<sakedge::cuda::T, tokens, width>(args).run();     \
  }
#define SAK_ADAPTER_TILE(tokens, width)                                       \
  SAK_ADAPTER_ENTRY(adapter_path_f16_##tokens##x##width, Half, tokens, width) \
  SAK_ADAPTER_ENTRY(adapter_path_bf16_##tokens##x##width, Bfloat, tokens, width)
#define SAK_ADAPTER_WIDTH(width) \
  SAK_ADAPTER_TILE(32, width)    \
  SAK_ADAPTER_TILE(64, width)
SAK_ADAPTER_WIDTH(64)
SAK_ADAPTER_WIDTH(96)
SAK_ADAPTER_WIDTH(192)
SAK_ADAPTER_WIDTH(256)
