#pragma once

#include "core/index.h"

namespace sakedge::cpu {
namespace {

// gelu(x) = x * Phi(x), Phi the normal distribution function.
//
// Phi(x) = 1/2 + x P(x^2) / Q(x^2) on |x| <= 5.6, P and Q of degree 5, fitted to minimise the
// largest error by iteratively reweighted least squares in float64 (tests/kernels/fit_gelu.py):
// 1e-8. Beyond, Phi is within 2^-26 of 0 or 1. Evaluated in float32, |error of Phi| <= 5 * 2^-24,
// most of it the rounding of the two Horner chains; adding 1/2 makes it absolute, not relative, for
// x < 0. Branch-free, so that loops over it vectorise.
inline float gelu(float x) {
  constexpr float kEdge = 5.6f;
  float h = x < -kEdge ? -kEdge : x;
  h = h > kEdge ? kEdge : h;
  const float t = h * h;
  float p = 2.2146473e-08f;
  p = p * t + 6.3561661e-06f;
  p = p * t + 1.7382050e-04f;
  p = p * t + 4.7070733e-03f;
  p = p * t + 3.4373306e-02f;
  p = p * t + 3.9894223e-01f;
  float q = 1.1802191e-06f;
  q = q * t + 7.5091419e-05f;
  q = q * t + 1.9128075e-03f;
  q = q * t + 2.8938446e-02f;
  q = q * t + 2.5282681e-01f;
  q = q * t + 1.0f;
  float phi = 0.5f + h * p / q;
  phi = phi < 0.0f ? 0.0f : phi;
  phi = phi > 1.0f ? 1.0f : phi;
  return x * phi;
}

void gelu_f32(Index count, float* values) {
  for (Index i = 0; i < count; ++i) {
    values[i] = gelu(values[i]);
  }
}

}  // namespace
}  // namespace sakedge::cpu
