#pragma once

#include "cpu/vector/multiply.h"

namespace sakedge::cpu {
namespace {

template <typename A>
void linear(const LinearArgs& args) {
  const Epilogue epilogue = {args.bias, args.y, args.y_stride};
  if (args.accumulate) {
    multiply<A, Finish::kAccumulate>(args.m, args.n, args.k, args.rows, args.packed, epilogue);
  } else {
    multiply<A, Finish::kStore>(args.m, args.n, args.k, args.rows, args.packed, epilogue);
  }
}

}  // namespace
}  // namespace sakedge::cpu
