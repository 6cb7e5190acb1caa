// int8 products in one instruction: Arm Cortex-A75, A76 (so Jetson Orin) and later. The rest is
// inherited from neon.
#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/neon_dot/dot.h"
#include "cpu/vector/gelu.h"
#include "cpu/vector/tokens.h"

namespace sakedge::cpu {

extern const KernelTable kNeonDotTable;

constexpr KernelTable kNeonDotTable = {.s8 = packed_kernels<S8<SdotDot>>()};

}  // namespace sakedge::cpu
