#pragma once

#include "cpu/kernel_table.h"

namespace sakedge::cpu {

// The arithmetics of kernel_table.h.
enum class Arithmetic { kF32, kBf16, kS8 };

inline constexpr Arithmetic kArithmetics[] = {Arithmetic::kF32, Arithmetic::kBf16, Arithmetic::kS8};

// As kernel names and Python spell it.
constexpr const char* name_of(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kF32:
      return "f32";
    case Arithmetic::kBf16:
      return "bf16";
    case Arithmetic::kS8:
      break;
  }
  return "s8";
}

// The matrix kernels of a table for one arithmetic.
template <typename Table>
constexpr auto& select(Table& table, Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kF32:
      return table.f32;
    case Arithmetic::kBf16:
      return table.bf16;
    case Arithmetic::kS8:
      break;
  }
  return table.s8;
}

// A set of arithmetics.
using ArithmeticSet = unsigned;

constexpr ArithmeticSet only(Arithmetic arithmetic) {
  return 1u << static_cast<unsigned>(arithmetic);
}

}  // namespace sakedge::cpu
