#pragma once

#include "core/index.h"

namespace sakedge::cpu {
namespace {

// gelu(x) = x * Phi(x) by the rational function of generic/gelu.h, which derives it. With fused
// multiply-adds |error| <= 3 * 2^-24 * |x|.
inline Vec gelu(Vec x) {
  const Vec above = larger(splat(-5.6f), x);  // below, Phi's error must not be multiplied by |x|
  const Vec h = smaller(splat(5.6f), above);
  const Vec t = mul(h, h);
  Vec p = splat(2.2146473e-08f);
  p = multiply_add(p, t, splat(6.3561661e-06f));
  p = multiply_add(p, t, splat(1.7382050e-04f));
  p = multiply_add(p, t, splat(4.7070733e-03f));
  p = multiply_add(p, t, splat(3.4373306e-02f));
  p = multiply_add(p, t, splat(3.9894223e-01f));
  Vec q = splat(1.1802191e-06f);
  q = multiply_add(q, t, splat(7.5091419e-05f));
  q = multiply_add(q, t, splat(1.9128075e-03f));
  q = multiply_add(q, t, splat(2.8938446e-02f));
  q = multiply_add(q, t, splat(2.5282681e-01f));
  q = multiply_add(q, t, splat(1.0f));
  const Vec phi = multiply_add(h, div(p, q), splat(0.5f));
  return mul(above, larger(smaller(phi, splat(1.0f)), splat(0.0f)));
}

}  // namespace
}  // namespace sakedge::cpu
