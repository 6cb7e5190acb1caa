// bfloat16 products in one instruction: Intel Cooper Lake and since Sapphire Rapids, AMD
// since Zen 4. The rest is inherited from avx512.
#include "cpu/avx512/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/avx512/gelu.h"
#include "cpu/avx512_bf16/dot.h"
#include "cpu/vector/packed.h"

namespace sakedge::cpu {

extern const KernelTable kAvx512Bf16Table;

constexpr KernelTable kAvx512Bf16Table = {.bf16 = packed_kernels<Bf16<Avx512Bf16Dot>>()};

}  // namespace sakedge::cpu
