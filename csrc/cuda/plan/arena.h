#pragma once

#include <vector>

#include "core/index.h"
#include "cuda/plan/order.h"
#include "cuda/plan/plan.h"

namespace sakedge::cuda {

// Of every buffer, in bytes: as cuMemAlloc aligns, so that any load and copy is.
inline constexpr Index kArenaAlignment = 256;

// Where the buffers of a plan lie in an arena.
struct Layout {
  std::vector<Index> offsets;  // of every buffer; 0 for those that are not in the arena
  Index bytes = 0;
};

// Two buffers share memory only where every use of the one is over before any of the other begins
// as the steps are ordered anyway: sharing then makes no step wait for another.
Layout lay_out(const Plan& plan, const Order& order);

}  // namespace sakedge::cuda
