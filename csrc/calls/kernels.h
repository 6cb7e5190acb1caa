#pragma once

#include <string_view>

#include "calls/peak/peak.h"
#include "core/status.h"
#include "cpu/kernel_table.h"

namespace sakedge::calls {

// What runs where one instruction set is chosen: its own kernels, and those of the next best where
// it has none.
struct Kernels {
  cpu::KernelTable table;
  Peaks peaks;
};

// Fails with kIsaUnknown or kIsaUnsupported.
Expected<Kernels> kernels_of(std::string_view isa);

}  // namespace sakedge::calls
