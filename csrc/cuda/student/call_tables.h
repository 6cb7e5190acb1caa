#pragma once

#include <cstddef>

#include "core/carver.h"
#include "cuda/kernels/args.h"
#include "cuda/student/shape.h"

namespace sakedge::cuda {

// What differs from call to call of one shape: the kernels read it where a graph says, so that one
// graph serves every snapshot, and an adapter is exchanged by writing another pointer. Laid out in
// memory that host and device both see, the same on both sides; the results last.
struct CallTables {
  Picture* pictures;            // [images]
  int* image;                   // [runs]
  const Path** paths;           // [runs][slots]
  const RouterLevel** routers;  // [runs][tasks]
  const Head** heads;           // [runs][tasks]
  const Linear** wide_taps;     // [runs][tasks]; null for heads with int8 taps
  const Linear** int8_taps;     // the other way round
  DecodeJob* decode;            // [runs * tasks]
  DecodeJob* upsample;          // [runs * tasks]
  int* finite;                  // [runs]; 1, and set to 0 where a logit is none
  float* routing;               // [runs][tasks][levels][1 + slots]; written
  Index results;                // bytes before finite
  Index given;                  // bytes before routing
  Index size;                   // bytes in all

  // Without a block it measures.
  CallTables(const Shape& shape, Index levels, std::byte* block = nullptr);

  // Writes all of it but what depends on where other memory lies: pictures and jobs. This is the
  // host's side; the parts lie on the device.
  void fill(const Shape& shape, const Request& request) const;
};

}  // namespace sakedge::cuda
