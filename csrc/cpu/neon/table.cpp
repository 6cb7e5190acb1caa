// Kernels for Advanced SIMD, which every 64-bit Arm CPU has.
#include "cpu/neon/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/table.h"

namespace sakedge::cpu {

extern const KernelTable kNeonTable;

constexpr KernelTable kNeonTable = full_table<Own>();

}  // namespace sakedge::cpu
