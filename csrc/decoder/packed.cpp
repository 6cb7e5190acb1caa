#include "decoder/packed.h"

namespace sakedge {
namespace {

std::vector<float> copy(Vector source) { return {source.begin(), source.end()}; }

}  // namespace

Packed Packed::from(const cpu::KernelTable& kernels, Index k, Index n, const float* source,
                    Index k_stride, Index n_stride) {
  Packed packed{AlignedBuffer(kernels.packed_size_f32(k, n)), k, n};
  kernels.pack_f32(k, n, source, k_stride, n_stride, packed.data.data());
  return packed;
}

Linear Linear::from(const cpu::KernelTable& kernels, const LinearSource& source) {
  return {Packed::from(kernels, source.weight.rows, source.weight.columns, source.weight.data,
                       source.weight.stride, 1),
          copy(source.bias)};
}

Norm Norm::from(const NormSource& source) { return {copy(source.gamma), copy(source.beta)}; }

void apply(const cpu::KernelTable& kernels, const Linear& layer, Index m, const float* x,
           Index x_stride, float* y, Index y_stride) {
  kernels.linear_f32({m, layer.out(), layer.in(), x, x_stride, layer.weight.data.data(),
                      layer.bias.data(), false, y, y_stride});
}

Status check(const LinearSource& source, Index in, Index out, const std::string& what) {
  const View<const float>& weight = source.weight;
  const bool fits = (in == 0 || weight.rows == in) && (out == 0 || weight.columns == out) &&
                    weight.rows > 0 && weight.columns > 0 &&
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
