// int8 products in one instruction: Arm Cortex-A75, A76 (so Jetson Orin) and later. The rest is
// inherited from neon.
#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon_dot/dot.h"
#include "cpu/vector/rational_gelu.h"
// gelu before the kernels that use it.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kNeonDotTable;

constexpr KernelTable kNeonDotTable = {.s8 = packed_kernels<S8<SdotDot>>()};

}  // namespace sakedge::cpu
