// int8 products in one instruction: Intel since Cascade Lake, AMD since Zen 4. The rest is
// inherited from avx512.
#include "cpu/avx512_vnni/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kAvx512VnniTable;

constexpr KernelTable kAvx512VnniTable = products_table<Own>();

}  // namespace sakedge::cpu
