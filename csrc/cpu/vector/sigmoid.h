#pragma once

#include "cpu/vector/lanes.h"

namespace sakedge::cpu {
namespace {

// exp(x) for |x| <= 87: 2^n exp(r), n the whole number nearest to x / ln 2, r = x - n ln 2 with
// ln 2 in two parts, so that n times the first, of 9 bits, is exact. On |r| <= ln 2 / 2 the series
// to r^7 leaves r^8 / 8! < 6e-9. Relative error <= 2 * 2^-24.
inline Vec exponential(Vec x) {
  const Vec n = to_float(to_nearest(mul(x, splat(1.44269504f))));
  Vec r = multiply_add(n, splat(-0.693359375f), x);
  r = multiply_add(n, splat(2.12194440e-4f), r);
  Vec series = splat(1.0f / 5040);
  series = multiply_add(series, r, splat(1.0f / 720));
  series = multiply_add(series, r, splat(1.0f / 120));
  series = multiply_add(series, r, splat(1.0f / 24));
  series = multiply_add(series, r, splat(1.0f / 6));
  series = multiply_add(series, r, splat(0.5f));
  series = multiply_add(series, r, splat(1.0f));
  series = multiply_add(series, r, splat(1.0f));
  return mul(series, power_of_two(n));
}

// 1 / (1 + exp(-x)). Relative error <= 4 * 2^-24 for x >= -87: that of the exponential, the sum and
// the quotient. Below, the value at -87, 1.6e-38: an absolute error of that size.
inline Vec sigmoid(Vec x) {
  const Vec inside = larger(smaller(x, splat(87.0f)), splat(-87.0f));
  const Vec one = splat(1.0f);
  return div(one, add(one, exponential(sub(splat(0.0f), inside))));
}

}  // namespace
}  // namespace sakedge::cpu
