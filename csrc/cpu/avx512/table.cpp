// Kernels for AVX-512 F, BW, DQ and VL: Intel since Skylake-SP, AMD since Zen 4.
#include "cpu/avx512/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/table.h"

namespace sakedge::cpu {

extern const KernelTable kAvx512Table;

constexpr KernelTable kAvx512Table = full_table<Own>();

}  // namespace sakedge::cpu
