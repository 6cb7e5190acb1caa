#include "cuda/kernels/layer_norm.h"

#define SAK_ROWS(name, blocks, Args, body) \
  SAK_ENTRY(name, sakedge::cuda::kRowThreads, blocks, Args) { sakedge::cuda::body(args); }

SAK_ROWS(layer_norm_f16, 4, LayerNormArgs, layer_norm<sakedge::cuda::Half>)
SAK_ROWS(layer_norm_bf16, 4, LayerNormArgs, layer_norm<sakedge::cuda::Bfloat>)
SAK_ROWS(layer_norm_s8, 2, LayerNormArgs, layer_norm_to_int8)
SAK_ROWS(quantize_f16, 4, QuantizeArgs, quantize<sakedge::cuda::Half>)
SAK_ROWS(quantize_bf16, 4, QuantizeArgs, quantize<sakedge::cuda::Bfloat>)
