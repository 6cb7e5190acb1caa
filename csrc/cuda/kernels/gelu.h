// GELU in eight instructions.
#pragma once

#include "cuda/device/device.h"

namespace sakedge::cuda {

// x Phi(x) = max(x, 0) - |x| Phi(-|x|), the exact GELU, Phi being the normal distribution function.
//
// Phi(-a) = 2^P(a): its logarithm is nearly a parabola, and where it is steep its power is small,
// so that P of degree 5 gives Phi within 2.9e-7 for every a (tests/kernels/fit_gelu.py; with the
// coefficients rounded to float32 3.2e-7). P falls for ever, so 2^P goes to 0 and nothing need be
// clamped. Horner's chain in float32 adds |P|'s rounding, at most 4 * 2^-24 where Phi is not small,
// times ln 2 / 2, and exp2 2^-22 / 2: together |error| <= 6e-7 |x|.
// Infinity becomes NaN.
SAK_DEVICE float gelu(float x) {
  const float a = dev::abs(x);
  float p = -5.18868588e-04f;
  p = dev::fma(p, a, 7.38724890e-03f);
  p = dev::fma(p, a, -5.25380937e-02f);
  p = dev::fma(p, a, -4.59276637e-01f);
  p = dev::fma(p, a, -1.15108315e+00f);
  p = dev::fma(p, a, -1.00000084e+00f);
  return dev::fma(-a, dev::exp2(p), dev::max(x, 0.0f));
}

}  // namespace sakedge::cuda
