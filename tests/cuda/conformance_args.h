// Arguments of the kernels of conformance.cu, read by tests/cuda/conformance_test.py too.
#pragma once

#include "cuda/device/types.h"

namespace sakedge::cuda {

// conform_product_*: one warp; a b^T of one product of the tensor cores, and what its loads gave.
struct ProductArgs {
  const void* a;         // T [16, k], k as many as 32 bytes hold
  const void* b;         // T [16, k]
  const void* d;         // float or int32 [16, 16], added to
  void* out;             // the same
  uint32_t* straight;    // [32, 4]: of b, by load_matrices
  uint32_t* transposed;  // [32, 4]: of the first 16 columns of a, by load_matrices_transposed
};

// conform_values: one warp; what is done value by value.
struct ValueArgs {
  const float* in;    // [count], a multiple of 32
  float* exchanged;   // [5, count]: of 32 neighbours, by masks 1, 2, 4, 8, 16
  uint32_t* halves;   // [count]: a value and its negation as Half
  uint32_t* bfloats;  // the same as Bfloat
  float* widened;     // [2, count]: the value as Half and back, as Bfloat and back
  float* powers;      // [count]: 2^x
  float* roots;       // [count]: 1 / sqrt(|x|)
  float* errors;      // [count]: erf(x)
  float* rounded;     // [count]: to the nearest even integer
  int* finite;        // [count]: 0 or 1
  int count;
};

// conform_copies: one warp; 16 bytes for each lane by asynchronous copies in two groups, of which
// the odd lanes' are not valid.
struct CopyArgs {
  const uint32_t* in;  // [2, 32, 4]
  uint32_t* early;     // [32, 4]: the first group, when it was waited for alone
  uint32_t* late;      // [32, 4]: the second
};

}  // namespace sakedge::cuda
