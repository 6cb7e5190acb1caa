#include "cuda/kernels/decode.h"

SAK_ENTRY(decode, sakedge::cuda::kDecodeThreads, 5, DecodeArgs) {
  sakedge::cuda::sample_into<sakedge::cuda::Decoded>(args);
}
SAK_ENTRY(upsample, sakedge::cuda::kDecodeThreads, 5, DecodeArgs) {
  sakedge::cuda::sample_into<sakedge::cuda::Upsampled>(args);
}
