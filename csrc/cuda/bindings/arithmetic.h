#pragma once

#include <string>

#include "bindings/bind.h"
#include "cuda/launch/arithmetic.h"

namespace sakedge::cuda::bindings {

// The arithmetic of this name, as in kernel names; raises for an unknown one.
inline Arithmetic arithmetic_of(const std::string& name) {
  for (const Arithmetic arithmetic : {Arithmetic::kF16, Arithmetic::kBf16, Arithmetic::kS8}) {
    if (name == name_of(arithmetic)) {
      return arithmetic;
    }
  }
  sakedge::bindings::require(false, "arithmetic: expected f16, bf16 or s8, got '" + name + "'");
  return Arithmetic::kF16;
}

}  // namespace sakedge::cuda::bindings
