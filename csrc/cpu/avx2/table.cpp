// Kernels for AVX2 with FMA: Intel since Haswell, AMD since Zen.
#include "cpu/avx2/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/vector/rational_gelu.h"
// gelu before the kernels that use it.
#include "cpu/vector/bf16.h"
#include "cpu/vector/f32.h"
#include "cpu/vector/madd.h"
#include "cpu/vector/table.h"

namespace sakedge::cpu {

extern const KernelTable kAvx2Table;

constexpr KernelTable kAvx2Table = full_table<F32<BroadcastF32>, Bf16<WidenedBf16>, S8<MaddDot>>();

}  // namespace sakedge::cpu
