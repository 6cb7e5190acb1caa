#pragma once

#include <string>

#include "cuda/kernels/args.h"
#include "cuda/launch/arithmetic.h"
#include "cuda/student/parts/image.h"
#include "decoder/weights/sources.h"

// Weights of the student file as the kernels read them. `what` names a tensor in a problem. Here a
// Linear is that of args.h, in device memory.
namespace sakedge::cuda {

// A matrix whose element of output o and input i is weight.at(o * out_step + i * in_step).
struct MatrixSource {
  const WeightSource* weight;
  Index out, in;
  Index out_step, in_step;
};

// A student's [in, out].
MatrixSource transposed(const WeightSource& weight);

// Where a matrix goes: rows and columns of zeros beyond its own, the columns rounded up further to
// the arithmetic's multiple.
struct Padded {
  Index out = 0;  // at least
  Index in = 0;
};

// A weight [out, in] and its scales: int8 if `arithmetic` is kS8, else 16-bit. Integers stay what
// they are in int8, and floats become the nearest of 255 steps of each output channel.
Linear put_weight(PartImage& image, Arithmetic arithmetic, const MatrixSource& source,
                  const std::string& what, Padded padded = {});

// The same of a layer, with its bias.
Linear put_linear(PartImage& image, Arithmetic arithmetic, const LinearSource& source,
                  const std::string& what, Padded padded = {});

Norm put_norm(PartImage& image, const NormSource& source);

// Padded with zeros.
const float* put_floats(PartImage& image, Vector values, Index size);

}  // namespace sakedge::cuda
