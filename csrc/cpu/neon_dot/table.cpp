// int8 products in one instruction: Arm Cortex-A75, A76 (so Jetson Orin) and later. The rest is
// inherited from neon.
#include "cpu/neon_dot/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kNeonDotTable;

constexpr KernelTable kNeonDotTable = products_table<Own>();

}  // namespace sakedge::cpu
