// bfloat16 products of small matrices in one instruction: Arm Neoverse N2, V1, Cortex-A510, A710,
// X2 and later. The rest is inherited from neon_i8mm, neon_dot and neon.
#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon_bf16/dot.h"
#include "cpu/vector/rational_gelu.h"
// gelu before the kernels that use it.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kNeonBf16Table;

constexpr KernelTable kNeonBf16Table = {.bf16 = packed_kernels<Bf16<BfmmlaDot>>()};

}  // namespace sakedge::cpu
