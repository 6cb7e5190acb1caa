// int8 products in one instruction without AVX-512: Intel since Alder Lake, its N series, Core
// Ultra. The rest is inherited from avx2.
#include "cpu/avx_vnni/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kAvxVnniTable;

constexpr KernelTable kAvxVnniTable = products_table<Own>();

}  // namespace sakedge::cpu
