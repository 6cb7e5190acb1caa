#include "decoder/weights/linear.h"

namespace sakedge {
namespace {

std::vector<float> copy(Vector source) { return {source.begin(), source.end()}; }

}  // namespace

Packed Packed::from(const cpu::PackedKernels& kernels, Index rows, Index columns,
                    const float* source, const float* scales) {
  Packed packed{AlignedBytes(kernels.packed_size(rows, columns)), rows, columns};
  kernels.pack({rows, columns, source, columns, 1, packed.data.data(), scales});
  return packed;
}

Linear Linear::from(const cpu::PackedKernels& kernels, const LinearSource& source) {
  const WeightSource& weight = source.weight;
  const Index size = weight.rows * weight.columns;
  std::vector<float> widened;
  if (weight.is_quantised()) {
    widened.assign(weight.integers, weight.integers + size);
  }
  const float* values = weight.is_quantised() ? widened.data() : weight.floats;
  const float* scales = weight.is_quantised() ? weight.scales.data() : nullptr;
  return {Packed::from(kernels, weight.rows, weight.columns, values, scales), copy(source.bias)};
}

Norm Norm::from(const NormSource& source) { return {copy(source.gamma), copy(source.beta)}; }

bool has_scales(const WeightSource& weight, Index channels) {
  return static_cast<Index>(weight.scales.size()) == (weight.is_quantised() ? channels : 0);
}

Status check(const LinearSource& source, Index in, Index out, const std::string& what) {
  const WeightSource& weight = source.weight;
  const bool fits = (in == 0 || weight.rows == in) && (out == 0 || weight.columns == out) &&
                    weight.rows > 0 && weight.rows <= kMostInputs && weight.columns > 0 &&
                    static_cast<Index>(source.bias.size()) == weight.columns &&
                    has_scales(weight, weight.columns);
  if (fits) {
    return {};
  }
  const auto size = [](Index n) { return n == 0 ? std::string("any") : std::to_string(n); };
  return {Code::kInvalid,
          what + ": expected [" + size(in) + ", " + size(out) + "], got [" +
              std::to_string(weight.rows) + ", " + std::to_string(weight.columns) +
              "] and a bias of " + std::to_string(source.bias.size()) +
              (weight.is_quantised() ? " and " + std::to_string(weight.scales.size()) + " scales"
                                     : "")};
}

Status check(const NormSource& source, Index channels, const std::string& what) {
  if (static_cast<Index>(source.gamma.size()) == channels &&
      static_cast<Index>(source.beta.size()) == channels) {
    return {};
  }
  return {Code::kInvalid, what + ": expected " + std::to_string(channels) + " channels, got " +
                              std::to_string(source.gamma.size()) + " and " +
                              std::to_string(source.beta.size())};
}

}  // namespace sakedge
