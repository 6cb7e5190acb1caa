#pragma once

#include "cpu/kernel_table.h"

namespace sakedge::cpu {

// The arithmetics of kernel_table.h.
enum class Precision { kF32, kBf16, kS8 };

inline constexpr Precision kPrecisions[] = {Precision::kF32, Precision::kBf16, Precision::kS8};

// As kernel names and Python spell it.
constexpr const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return "f32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kS8:
      break;
  }
  return "s8";
}

// The matrix kernels of a table for one arithmetic.
template <typename Table>
constexpr auto& select(Table& table, Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return table.f32;
    case Precision::kBf16:
      return table.bf16;
    case Precision::kS8:
      break;
  }
  return table.s8;
}

// A set of arithmetics.
using Precisions = unsigned;

constexpr Precisions only(Precision precision) { return 1u << static_cast<unsigned>(precision); }

}  // namespace sakedge::cpu
