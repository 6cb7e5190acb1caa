#pragma once

#include <memory>

#include "core/status.h"
#include "cuda/driver/context.h"
#include "cuda/driver/memory.h"
#include "cuda/driver/stream.h"
#include "cuda/plan/plan.h"

namespace sakedge::cuda {

// A placed plan that a device launches at once. Arguments are those of the time it was made; the
// arena, its kernels' module and whatever its arguments point to must outlive it.
class Graph {
 public:
  // Fails with kInvalid if the arena is too small for the plan.
  static Expected<Graph> make(std::shared_ptr<Context> context, const Plan& plan,
                              const DeviceMemory& arena);

  Graph(Graph&& other) noexcept;
  Graph& operator=(Graph&& other) noexcept;
  ~Graph();

  // Sends it to the device, which the first launch would do otherwise.
  Status upload(Stream& stream);
  Status launch(Stream& stream);

  int nodes() const { return nodes_; }
  int edges() const { return edges_; }

 private:
  Graph(std::shared_ptr<Context> context, CUgraphExec handle, int nodes, int edges);

  std::shared_ptr<Context> context_;
  CUgraphExec handle_ = nullptr;
  int nodes_ = 0;
  int edges_ = 0;
};

}  // namespace sakedge::cuda
