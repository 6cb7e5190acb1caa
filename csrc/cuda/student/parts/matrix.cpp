#include "cuda/student/parts/matrix.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/student/parts/narrow.h"

namespace sakedge::cuda {
namespace {

// Rows and columns that are read together: a matrix is read across its rows, and a cache line of
// each row that is written serves 16 columns.
constexpr Index kBlock = 32;

template <class Visit>
void for_each_element(const MatrixSource& source, const Visit& visit) {
  for (Index o0 = 0; o0 < source.out; o0 += kBlock) {
    const Index o1 = std::min(source.out, o0 + kBlock);
    for (Index i0 = 0; i0 < source.in; i0 += kBlock) {
      const Index i1 = std::min(source.in, i0 + kBlock);
      for (Index o = o0; o < o1; ++o) {
        for (Index i = i0; i < i1; ++i) {
          visit(o, i, source.weight->at(o * source.out_step + i * source.in_step));
        }
      }
    }
  }
}

float scale_of(const WeightSource& weight, Index o) {
  return weight.is_quantised() ? weight.scales[static_cast<std::size_t>(o)] : 1.0f;
}

// Returns whether all of it could be held.
template <class T>
bool narrow(const MatrixSource& source, T (*to)(float), T* out, Index width) {
  bool is_held = true;
  for_each_element(source, [&](Index o, Index i, float value) {
    const T narrowed = to(value * scale_of(*source.weight, o));
    is_held = is_held && !is_overflow(narrowed);
    out[o * width + i] = narrowed;
  });
  return is_held;
}

bool quantise(const MatrixSource& source, std::int8_t* out, float* scales, Index width) {
  if (source.weight->is_quantised()) {
    std::copy(source.weight->scales.begin(), source.weight->scales.end(), scales);
    for_each_element(source, [&](Index o, Index i, float value) {
      out[o * width + i] = static_cast<std::int8_t>(value);
    });
    return true;
  }
  std::vector<float> largest(static_cast<std::size_t>(source.out), 0.0f);
  bool is_finite = true;
  for_each_element(source, [&](Index o, Index, float value) {
    is_finite = is_finite && std::isfinite(value);
    float& most = largest[static_cast<std::size_t>(o)];
    most = std::max(most, std::abs(value));
  });
  if (!is_finite) {
    return false;
  }
  for (Index o = 0; o < source.out; ++o) {
    scales[o] = largest[static_cast<std::size_t>(o)] / 127.0f;
  }
  for_each_element(source, [&](Index o, Index i, float value) {
    const float steps = scales[o] > 0.0f ? std::nearbyint(value / scales[o]) : 0.0f;
    out[o * width + i] = static_cast<std::int8_t>(std::clamp(steps, -127.0f, 127.0f));
  });
  return true;
}

}  // namespace

MatrixSource transposed(const WeightSource& weight) {
  return {&weight, weight.columns, weight.rows, 1, weight.columns};
}

Linear put_weight(PartImage& image, Arithmetic arithmetic, const MatrixSource& source,
                  const std::string& what, Padded padded) {
  const Index out = std::max(source.out, padded.out);
  const Index in = round_up(std::max(source.in, padded.in), multiple_of(arithmetic));
  Linear linear{nullptr, nullptr, nullptr, static_cast<int>(out), static_cast<int>(in)};
  if (arithmetic == Arithmetic::kS8) {
    const auto weight = image.take<std::int8_t>(out * in);
    const auto scale = image.take<float>(out);
    linear.weight = weight.device;
    linear.scale = scale.device;
    if (!image.is_measuring() && !quantise(source, weight.host, scale.host, in)) {
      image.fail(what + ": a weight is not finite");
    }
  } else if (arithmetic == Arithmetic::kBf16) {
    const auto weight = image.take<Bfloat>(out * in);
    linear.weight = weight.device;
    if (!image.is_measuring() && !narrow(source, &to_bfloat, weight.host, in)) {
      image.fail(what + ": a weight is not finite");
    }
  } else {
    const auto weight = image.take<Half>(out * in);
    linear.weight = weight.device;
    if (!image.is_measuring() && !narrow(source, &to_half, weight.host, in)) {
      image.fail(what + ": a weight is beyond float16 (expected at most 65504); use bf16");
    }
  }
  return linear;
}

Linear put_linear(PartImage& image, Arithmetic arithmetic, const LinearSource& source,
                  const std::string& what, Padded padded) {
  Linear linear = put_weight(image, arithmetic, transposed(source.weight), what, padded);
  linear.bias = put_floats(image, source.bias, linear.out);
  return linear;
}

Norm put_norm(PartImage& image, const NormSource& source) {
  return {image.put<float>(source.gamma), image.put<float>(source.beta)};
}

const float* put_floats(PartImage& image, Vector values, Index size) {
  const auto array = image.take<float>(std::max(size, static_cast<Index>(values.size())));
  if (array.host != nullptr) {
    std::copy(values.begin(), values.end(), array.host);
  }
  return array.device;
}

}  // namespace sakedge::cuda
