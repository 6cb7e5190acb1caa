#pragma once

#include "cuda/launch/kernels.h"
#include "cuda/plan/plan.h"
#include "cuda/student/call_tables.h"
#include "cuda/student/parts/stem.h"

namespace sakedge::cuda {

// normalised = value in 0 ... 1 * mul + add, by channel.
struct Normalisation {
  float mul[3];
  float add[3];
};

// Where the plan of a shape finds and leaves what is not in its arena; device memory.
struct Places {
  CallTables tables;
  float* maps;  // [runs][tasks][map_stride]
};

// Floats from one map to the next.
Index map_stride(const Shape& shape, const Geometry& geometry);

// The whole student, from pictures to maps: the stem's blocks one after the other, and beside them
// the adapters of each depth, the routers and mixtures of each level. Fails with kInvalid where it
// is too much for one call.
Expected<Plan> plan_of(const Kernels& kernels, const Stem& stem, const Normalisation& normalisation,
                       const Shape& shape, const Places& places);

}  // namespace sakedge::cuda
