#pragma once

#include <string_view>

#include "calls/peak/peak.h"

namespace sakedge::calls {

// Those of an instruction set that is compiled in.
const Peaks& peaks_of(std::string_view isa);

}  // namespace sakedge::calls
