#pragma once

#include "core/index.h"

namespace sakedge::cuda {

// Of the matrix products. kS8: int8 where it gains, f16 in all else.
enum class Arithmetic { kF16, kBf16, kS8 };

// The 16-bit type of what is not int8.
constexpr Arithmetic wide(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::kBf16 ? Arithmetic::kBf16 : Arithmetic::kF16;
}

// As kernels are named.
constexpr const char* name_of(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::kF16 ? "f16" : arithmetic == Arithmetic::kBf16 ? "bf16" : "s8";
}

// What the inner dimension of a product is a multiple of, and bytes of an operand.
constexpr Index multiple_of(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::kS8 ? 32 : 16;
}
constexpr Index size_of(Arithmetic arithmetic) { return arithmetic == Arithmetic::kS8 ? 1 : 2; }

constexpr Index round_up(Index count, Index multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

}  // namespace sakedge::cuda
