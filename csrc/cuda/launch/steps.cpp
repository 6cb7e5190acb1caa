#include "cuda/launch/steps.h"

#include <limits>

namespace sakedge::cuda {
namespace {

// What CUDA takes along x, and along y and z.
constexpr int kMostBlocks = std::numeric_limits<int>::max();
constexpr int kMostRows = 65535;

bool is_within(int count, int most) { return count >= 1 && count <= most; }

}  // namespace

// With fewer elements than an int counts, kernels may index a buffer by int.
Buffer Steps::scratch(double count, Index size, const char* what) {
  if (count > static_cast<double>(std::numeric_limits<int>::max())) {
    fail({Code::kInvalid, std::string("too much for one call: a buffer (") + what +
                              ") of 2^31 elements or more; give fewer images at a time"});
    return {};
  }
  return plan_.scratch(static_cast<Index>(count) * size, what);
}

const Kernel* Steps::check(const std::string& name, int threads, Index shared, Grid grid) {
  if (!status_.ok()) {
    return nullptr;
  }
  if (!is_within(grid.x, kMostBlocks) || !is_within(grid.y, kMostRows) ||
      !is_within(grid.z, kMostRows)) {
    fail({Code::kInvalid, "too much for one call: " + name + " needs a grid of " +
                              std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " +
                              std::to_string(grid.z) + "; give fewer images at a time"});
    return nullptr;
  }
  Expected<Kernel> kernel = kernels_.find(name, threads, shared);
  if (!kernel.ok()) {
    fail(kernel.status());
    return nullptr;
  }
  kernel_ = std::move(kernel).take();
  return &kernel_;
}

void Steps::fail(Status status) {
  if (status_.ok()) {
    status_ = std::move(status);
  }
}

}  // namespace sakedge::cuda
