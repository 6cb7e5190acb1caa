#pragma once

#include "cpu/avx2/vec.h"
// vec.h first: what follows is written in its terms.
#include "cpu/vector/bf16.h"
#include "cpu/vector/f32.h"
#include "cpu/vector/madd.h"
#include "cpu/vector/products.h"
#include "cpu/vector/rational_gelu.h"

namespace sakedge::cpu {
namespace {

typedef Products<F32<BroadcastF32>, Bf16<WidenedBf16>, S8<MaddDot>> Own;

}  // namespace
}  // namespace sakedge::cpu
