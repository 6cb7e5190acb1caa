// Kernels for AVX-512 F, BW, DQ and VL: Intel since Skylake-SP, AMD since Zen 4.
#include "cpu/avx512/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/avx512/gelu.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/f32.h"
#include "cpu/vector/madd.h"
#include "cpu/vector/table.h"

namespace sakedge::cpu {

extern const KernelTable kAvx512Table;

constexpr KernelTable kAvx512Table =
    full_table<F32<BroadcastF32>, Bf16<WidenedBf16>, S8<MaddDot>>();

}  // namespace sakedge::cpu
