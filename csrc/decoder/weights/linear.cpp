#include "decoder/weights/linear.h"

namespace sakedge {
namespace {

std::vector<float> copy(Vector source) { return {source.begin(), source.end()}; }

}  // namespace

Packed Packed::from(const cpu::PackedKernels& kernels, View<const float> weight) {
  const auto [source, k, n, stride] = weight;
  Packed packed{AlignedBytes(kernels.packed_size(k, n)), k, n};
  kernels.pack({k, n, source, stride, 1, packed.data.data()});
  return packed;
}

Linear Linear::from(const cpu::PackedKernels& kernels, const LinearSource& source) {
  return {Packed::from(kernels, source.weight), copy(source.bias)};
}

Norm Norm::from(const NormSource& source) { return {copy(source.gamma), copy(source.beta)}; }

Status check(const LinearSource& source, Index in, Index out, const std::string& what) {
  const View<const float>& weight = source.weight;
  const bool fits = (in == 0 || weight.rows == in) && (out == 0 || weight.columns == out) &&
                    weight.rows > 0 && weight.rows <= kMostInputs && weight.columns > 0 &&
                    static_cast<Index>(source.bias.size()) == weight.columns;
  if (fits) {
    return {};
  }
  const auto size = [](Index n) { return n == 0 ? std::string("any") : std::to_string(n); };
  return {Code::kInvalid, what + ": expected [" + size(in) + ", " + size(out) + "], got [" +
                              std::to_string(weight.rows) + ", " + std::to_string(weight.columns) +
                              "] and a bias of " + std::to_string(source.bias.size())};
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
