#include "cuda/kernels/adapter_path.h"

#define SAK_ADAPTER_ENTRY(name, T, width)                                             \
  SAK_ENTRY(name, sakedge::cuda::kTokenThreads, sakedge::cuda::adapter_blocks(width), \
            AdapterArgs) {                                                            \
    sakedge::cuda::AdapterPath<sakedge::cuda::T, width>(args).run();                  \
  }
#define SAK_ADAPTER_WIDTH(width)                           \
  SAK_ADAPTER_ENTRY(adapter_path_f16_##width, Half, width) \
  SAK_ADAPTER_ENTRY(adapter_path_bf16_##width, Bfloat, width)
SAK_ADAPTER_WIDTH(64)
SAK_ADAPTER_WIDTH(96)
SAK_ADAPTER_WIDTH(192)
SAK_ADAPTER_WIDTH(256)
