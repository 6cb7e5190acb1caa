#pragma once

namespace sakedge::cpu {
namespace {

// The products that an instruction set brings: one arithmetic (layout.h) each, or Inherited where
// the matrix kernels are those of the next best set. Its dot.h declares them as `Own`.
template <typename F32Products, typename Bf16Products, typename S8Products>
struct Products {
  typedef F32Products Float32;
  typedef Bf16Products Bfloat16;
  typedef S8Products Int8;
};

struct Inherited {};

}  // namespace
}  // namespace sakedge::cpu
