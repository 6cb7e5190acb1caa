#include "cuda/kernels/decode.h"

SAK_ENTRY(decode, sakedge::cuda::kDecodeThreads, 4, DecodeArgs) {
  sakedge::cuda::decode_pixel(args);
}
SAK_ENTRY(upsample, sakedge::cuda::kDecodeThreads, 4, DecodeArgs) {
  sakedge::cuda::upsample_pixel(args);
}
