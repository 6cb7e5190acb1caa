#pragma once

#include "cpu/vector/adapter.h"
#include "cpu/vector/linear.h"
#include "cpu/vector/peak.h"
#include "cpu/vector/router.h"

namespace sakedge::cpu {
namespace {

// The matrix kernels of arithmetic `A`.
template <typename A>
constexpr PackedKernels packed_kernels() {
  return {packed_size<A>, pack<A>,    row_size<A>, prepare<A>,
          linear<A>,      adapter<A>, router<A>,   peak<A>};
}

}  // namespace
}  // namespace sakedge::cpu
