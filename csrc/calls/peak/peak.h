#pragma once

#include "core/index.h"

// Plain, as kernel_table.h is and for its reason: objects of an instruction set include it.
namespace sakedge::calls {

// `rounds` >= 1 rounds of a product's innermost loop on a full block, all operands in the
// first-level cache: what kernels are measured against. `words` are kPeakBytes zeros aligned to 64
// bytes. Returns how many elements were multiplied; `out` [1] is written so that none is left out.
typedef Index (*Peak)(Index rounds, const void* words, float* out);

constexpr Index kPeakBytes = 16384;

// Of one instruction set; null where it has no product of its own.
struct Peaks {
  Peak f32, bf16, s8;
};

}  // namespace sakedge::calls
