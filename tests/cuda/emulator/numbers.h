// Numbers as the device has them, bit for bit; approximations within the bounds PTX states.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace sakedge::emulator {

inline float from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t rest = static_cast<uint32_t>(half & 0x7fff) << 13;
  // The exponent's bias differs by 127 - 15.
  const uint32_t finite = std::bit_cast<uint32_t>(std::bit_cast<float>(rest) * 0x1p112f);
  return std::bit_cast<float>(sign | (rest >= 31u << 23 ? rest | 0x7f800000 : finite));
}

// To the nearest even; 65520 and above are infinite.
inline uint16_t to_half(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return 0x7fff;  // the one NaN that PTX writes
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest < 0x38800000)  // subnormal: a multiple of 2^-24
    return sign | static_cast<uint16_t>(std::nearbyint(std::fabs(f) * 0x1p24f));
  return sign | static_cast<uint16_t>((rest + 0xfff + (rest >> 13 & 1) - 0x38000000) >> 13);
}

inline float from_bfloat(uint16_t bfloat) {
  return std::bit_cast<float>(static_cast<uint32_t>(bfloat) << 16);
}

inline uint16_t to_bfloat(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// The result of an approximate instruction: one of the two floats around the exact value, which
// its argument's bits decide. So it is off by less than a unit in the last place, a relative 2^-23,
// as PTX allows all of them, and seldom the nearest, on which nothing may rely.
inline float approximate(double exact, float argument) {
  const float nearest = static_cast<float>(exact);
  const bool turn = (std::bit_cast<uint32_t>(argument) * 2654435761u >> 31) != 0;
  if (!turn || !(std::fabs(nearest) < 3e38f) || static_cast<double>(nearest) == exact)
    return nearest;
  return std::nextafter(nearest, static_cast<double>(nearest) < exact ? INFINITY : -INFINITY);
}

inline float flushed(float f) { return std::fabs(f) < 0x1p-126f ? std::copysign(0.0f, f) : f; }

inline float approximate_exp2(float x) {
  // Powers of two are exact.
  return x == std::floor(x) ? std::exp2(x) : approximate(std::exp2(static_cast<double>(x)), x);
}
inline float approximate_rsqrt(float x) {
  return approximate(1.0 / std::sqrt(static_cast<double>(x)), x);
}

}  // namespace sakedge::emulator
