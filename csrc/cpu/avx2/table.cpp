// Kernels for AVX2 with FMA: Intel since Haswell, AMD since Zen.
#include "cpu/avx2/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/table.h"

namespace sakedge::cpu {

extern const KernelTable kAvx2Table;

constexpr KernelTable kAvx2Table = full_table<Own>();

}  // namespace sakedge::cpu
