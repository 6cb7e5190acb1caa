#pragma once

#include "cpu/vector/decode.h"
#include "cpu/vector/gelu.h"
#include "cpu/vector/head_expand.h"
#include "cpu/vector/layer_norm.h"
#include "cpu/vector/magnitude.h"
#include "cpu/vector/mix.h"
#include "cpu/vector/packed.h"

namespace sakedge::cpu {
namespace {

// Every kernel over one instruction set's vector.
template <typename Own>
constexpr KernelTable full_table() {
  return {
      packed_kernels<typename Own::Float32>(),
      packed_kernels<typename Own::Bfloat16>(),
      packed_kernels<typename Own::Int8>(),
#define KERNEL(name, result, parameters) name,
#include "cpu/kernels.def"
  };
}

}  // namespace
}  // namespace sakedge::cpu
