// The table of a variant. Compiled once for each, with its flags: SAKEDGE_ISA is its name,
// SAKEDGE_DOT its dot.h.
#include SAKEDGE_DOT
// dot.h first: what follows is written in its terms.
#include "cpu/vector/packed.h"

namespace sakedge::calls::SAKEDGE_ISA {

extern const cpu::KernelTable kTable;

constexpr cpu::KernelTable kTable = cpu::products_table<cpu::Own>();

}  // namespace sakedge::calls::SAKEDGE_ISA
