#pragma once

#include <vector>

#include "machine.h"

namespace sakedge::emulated {

// The contexts that were pushed on this thread; the last is current.
std::vector<CUcontext>& current();

}  // namespace sakedge::emulated
