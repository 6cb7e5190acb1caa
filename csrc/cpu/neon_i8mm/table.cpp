// int8 products of small matrices in one instruction: Arm Neoverse N2, V1, Cortex-A510, A710, X2
// and later. The rest is inherited from neon_dot and neon.
#include "cpu/neon_i8mm/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kNeonI8mmTable;

constexpr KernelTable kNeonI8mmTable = products_table<Own>();

}  // namespace sakedge::cpu
