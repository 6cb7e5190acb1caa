#pragma once

#include <vector>

#include "cpu/dispatch.h"

namespace sakedge::calls {

// The instruction sets that are compiled in, best first, with variants before some of them that run
// the same kernels where an instruction is missing or encoded otherwise. Only tests run variants.
const std::vector<cpu::Isa>& all_isas();

}  // namespace sakedge::calls
