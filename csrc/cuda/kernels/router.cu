#include "cuda/kernels/router.h"

#define SAK_ROUTER_ENTRY(name, T, width)                                                           \
  SAK_ENTRY(name, sakedge::cuda::kTokenThreads, sakedge::cuda::router_blocks(width), RouterArgs) { \
    sakedge::cuda::RouterHidden<sakedge::cuda::T, width>(args).run();                              \
  }
#define SAK_ROUTER_WIDTH(width)                     \
  SAK_ROUTER_ENTRY(router_f16_##width, Half, width) \
  SAK_ROUTER_ENTRY(router_bf16_##width, Bfloat, width)
SAK_ROUTER_WIDTH(32)
SAK_ROUTER_WIDTH(96)
SAK_ROUTER_WIDTH(192)
SAK_ROUTER_WIDTH(384)
SAK_ROUTER_WIDTH(512)

SAK_ENTRY(weigh, sakedge::cuda::kWeighThreads, 1, WeighArgs) { sakedge::cuda::weigh_experts(args); }
