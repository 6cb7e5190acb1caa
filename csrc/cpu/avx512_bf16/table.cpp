// bfloat16 products in one instruction: Intel Cooper Lake and since Sapphire Rapids, AMD
// since Zen 4. The rest is inherited from avx512.
#include "cpu/avx512_bf16/dot.h"
// dot.h first: what follows is written in its terms.
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kAvx512Bf16Table;

constexpr KernelTable kAvx512Bf16Table = products_table<Own>();

}  // namespace sakedge::cpu
