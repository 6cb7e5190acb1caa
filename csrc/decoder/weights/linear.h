#pragma once

#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/status.h"
#include "cpu/arithmetic.h"
#include "decoder/weights/sources.h"

namespace sakedge {

using cpu::Arithmetic;

// A matrix in the layout of the instruction set that packed it. Immutable.
struct Packed {
  AlignedBytes data;
  Index rows = 0;     // k
  Index columns = 0;  // n

  // `source` [rows, columns] is dense; `scales` as in cpu::PackArgs.
  static Packed from(const cpu::PackedKernels& kernels, Index rows, Index columns,
                     const float* source, const float* scales);
};

// A linear layer, packed.
struct Linear {
  Packed weight;
  std::vector<float> bias;

  static Linear from(const cpu::PackedKernels& kernels, const LinearSource& source);

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

// Inputs of a linear layer, at most: so many products of int8 sum up exactly (kernel_table.h).
inline constexpr Index kMostInputs = 65536;

// Whether an int8 weight has a scale for each output channel, and another has none.
bool has_scales(const WeightSource& weight, Index channels);

// kInvalid unless the layer maps `in` to `out` channels and has a bias that fits; 0 allows any
// size.
Status check(const LinearSource& source, Index in, Index out, const std::string& what);
Status check(const NormSource& source, Index channels, const std::string& what);

}  // namespace sakedge
