#pragma once

#include <bit>
#include <cstdint>

#include "cuda/device/types.h"

// float32 to 16 bits, to the nearest even; what is too large becomes infinity.
namespace sakedge::cuda {

inline Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  std::uint32_t half;
  if (magnitude >= 0x477ff000u) {  // 65520, halfway beyond the largest
    half = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // below 2^-14: the sum's last bit is 2^-24, as a half's
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    half = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5f);
  } else {  // the exponent's bias is 112 less, in steps of 2^23; half of the last bit is 0x1000
    half = (magnitude - (112u << 23) + 0x0fffu + (magnitude >> 13 & 1u)) >> 13;
  }
  return {static_cast<std::uint16_t>((bits >> 16 & 0x8000u) | half)};
}

inline Bfloat to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return {static_cast<std::uint16_t>(bits >> 16 | 0x40u)};
  }
  return {static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
}

// Whether all bits of the exponent are set: infinity or NaN.
inline bool is_overflow(Half half) { return (half.bits & 0x7c00u) == 0x7c00u; }
inline bool is_overflow(Bfloat bfloat) { return (bfloat.bits & 0x7f80u) == 0x7f80u; }

}  // namespace sakedge::cuda
