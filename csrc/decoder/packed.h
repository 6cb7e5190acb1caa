#pragma once

#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/status.h"
#include "cpu/kernel_table.h"
#include "decoder/sources.h"

namespace sakedge {

// A matrix in the layout of the instruction set that packed it. Immutable.
struct Packed {
  AlignedBuffer data;
  Index rows = 0;     // k
  Index columns = 0;  // n

  // W[k, n] = source[k * k_stride + n * n_stride].
  static Packed from(const cpu::KernelTable& kernels, Index k, Index n, const float* source,
                     Index k_stride, Index n_stride);
};

// A linear layer, packed.
struct Linear {
  Packed weight;
  std::vector<float> bias;

  static Linear from(const cpu::KernelTable& kernels, const LinearSource& source);

  Index in() const { return weight.rows; }
  Index out() const { return weight.columns; }
};

// A LayerNorm's affine part.
struct Norm {
  std::vector<float> gamma;
  std::vector<float> beta;

  static Norm from(const NormSource& source);
};

// Of every LayerNorm after the stem.
inline constexpr float kNormEpsilon = 1e-5f;

// y = x * layer (+ y), for `m` rows.
void apply(const cpu::KernelTable& kernels, const Linear& layer, Index m, const float* x,
           Index x_stride, float* y, Index y_stride);

// kInvalid unless the layer maps `in` to `out` channels and has a bias that fits; 0 allows any
// size.
Status check(const LinearSource& source, Index in, Index out, const std::string& what);
Status check(const NormSource& source, Index channels, const std::string& what);

}  // namespace sakedge
