// int8 products of small matrices in one instruction: Arm Neoverse N2, V1, Cortex-A510, A710, X2
// and later. The rest is inherited from neon_dot and neon.
#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon_i8mm/dot.h"
#include "cpu/vector/rational_gelu.h"
// gelu before the kernels that use it.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kNeonI8mmTable;

constexpr KernelTable kNeonI8mmTable = {.s8 = packed_kernels<S8<SmmlaDot>>()};

}  // namespace sakedge::cpu
