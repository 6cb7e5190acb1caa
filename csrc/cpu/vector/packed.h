#pragma once

#include "cpu/vector/adapter.h"
#include "cpu/vector/linear.h"
#include "cpu/vector/products.h"
#include "cpu/vector/router.h"

namespace sakedge::cpu {
namespace {

// The matrix kernels of arithmetic `A`.
template <typename A>
constexpr PackedKernels packed_kernels() {
  return {packed_size<A>, pack<A>, row_size<A>, prepare<A>, linear<A>, adapter<A>, router<A>};
}

template <>
constexpr PackedKernels packed_kernels<Inherited>() {
  return {};
}

// The table of an instruction set that brings products alone.
template <typename Own>
constexpr KernelTable products_table() {
  return {.f32 = packed_kernels<typename Own::Float32>(),
          .bf16 = packed_kernels<typename Own::Bfloat16>(),
          .s8 = packed_kernels<typename Own::Int8>()};
}

}  // namespace
}  // namespace sakedge::cpu
