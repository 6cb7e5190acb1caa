#pragma once

#include <span>

#include "cuda/student/request.h"

namespace sakedge::cuda {

// What a graph depends on: calls of one shape run the same graph, with other pointers in its tables
// (call_tables.h).
struct Shape {
  Index images = 0;
  Index runs = 0;
  Index slots = 0;  // the most of any run; so are all that follow
  Index tasks = 0;
  Index path_width = 0;    // 0: no run has a path
  Index router_width = 0;  // 0: no run has a router
  Index z_width = 0;
  Index linears_width = 0;
  Index fused = 0;
  Index classes = 0;
  bool wide_taps = false;  // whether any head has them in 16 bits, in int8
  bool int8_taps = false;
  bool maps = false;  // whether more than the routing is wanted
  float min_weight = 0.0f;

  static Shape of(const Request& request);

  friend bool operator==(const Shape&, const Shape&) = default;
};

}  // namespace sakedge::cuda
