// Kernels for AVX2 with FMA: Intel since Haswell, AMD since Zen.
#include "cpu/avx2/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/vector/gelu.h"
// gelu before the kernels that use it.
#include "cpu/avx2/dot.h"
#include "cpu/vector/activation.h"
#include "cpu/vector/decode.h"
#include "cpu/vector/f32.h"
#include "cpu/vector/head_expand.h"
#include "cpu/vector/mix.h"
#include "cpu/vector/tokens.h"

namespace sakedge::cpu {

extern const KernelTable kAvx2Table;

constexpr KernelTable kAvx2Table = {
    .f32 = packed_kernels<F32<BroadcastF32>>(),
    .bf16 = packed_kernels<Bf16<WidenedBf16>>(),
    .s8 = packed_kernels<S8<MaddDot>>(),
    .gelu_f32 = gelu_f32,
    .layer_norm_f32 = layer_norm_f32,
    .mix_f32 = mix_f32,
    .head_expand_f32 = head_expand_f32,
    .decode_labels_u8_f32 = decode_labels_u8_f32,
    .decode_labels_u16_f32 = decode_labels_u16_f32,
    .decode_probability_f32 = decode_probability_f32,
    .decode_two_class_f32 = decode_two_class_f32,
    .decode_normals_f32 = decode_normals_f32,
    .decode_scalar_f32 = decode_scalar_f32,
    .upsample_f32 = upsample_f32,
};

}  // namespace sakedge::cpu
