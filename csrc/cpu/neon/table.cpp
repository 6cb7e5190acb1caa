// Kernels for Advanced SIMD, which every 64-bit Arm CPU has.
#include "cpu/neon/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/vector/rational_gelu.h"
// gelu before the kernels that use it.
#include "cpu/neon/dot.h"
#include "cpu/vector/table.h"

namespace sakedge::cpu {

extern const KernelTable kNeonTable;

constexpr KernelTable kNeonTable = full_table<F32<LaneF32>, Bf16<LaneBf16>, S8<WideningDot>>();

}  // namespace sakedge::cpu
