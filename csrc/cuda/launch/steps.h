#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cuda/launch/kernels.h"
#include "cuda/plan/plan.h"

namespace sakedge::cuda {

using Buffer = Plan::Buffer;

// A plan while it is written: the functions of this folder add a step each. The first problem
// counts, and ends up in `status`.
class Steps {
 public:
  explicit Steps(const Kernels& kernels) : kernels_(kernels) {}

  // A buffer of `count` elements of `size` bytes, in the arena or elsewhere.
  Buffer scratch(double count, Index size, const char* what);
  Buffer fixed(void* data, Index bytes, const char* what) {
    return plan_.fixed(static_cast<std::byte*>(data), bytes, what);
  }

  template <class Args>
  void launch(const std::string& name, int threads, Index shared, Grid grid,
              const std::vector<Buffer>& reads, const std::vector<Buffer>& writes,
              std::function<Args(const Addresses&)> args) {
    if (const Kernel* kernel = check(name, threads, shared, grid); kernel != nullptr) {
      plan_.launch<Args>(*kernel, grid, reads, writes, std::move(args));
    }
  }

  const Kernels& kernels() const { return kernels_; }
  const Status& status() const { return status_; }
  Plan take() && { return std::move(plan_); }

 private:
  const Kernel* check(const std::string& name, int threads, Index shared, Grid grid);
  void fail(Status status);

  const Kernels& kernels_;
  Plan plan_;
  Kernel kernel_;
  Status status_;
};

// A buffer that a step may do without: null where it is not set.
inline Address optional(const Addresses& at, Buffer buffer) {
  return buffer.id < 0 ? Address{nullptr} : at(buffer);
}

// ceil(count / each), as a grid has it.
inline int blocks_of(Index count, Index each) {
  return static_cast<int>((count + each - 1) / each);
}

}  // namespace sakedge::cuda
