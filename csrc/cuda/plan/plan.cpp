#include "cuda/plan/plan.h"

#include "cuda/plan/arena.h"
#include "cuda/plan/order.h"

namespace sakedge::cuda {

Plan::Buffer Plan::scratch(Index bytes, const char* what) { return fixed(nullptr, bytes, what); }

Plan::Buffer Plan::fixed(std::byte* data, Index bytes, const char* what) {
  buffers_.push_back({data, 0, bytes, what});
  return {static_cast<int>(buffers_.size()) - 1};
}

void Plan::add(const Kernel& kernel, Grid grid, const std::vector<Buffer>& reads,
               const std::vector<Buffer>& writes,
               std::function<std::vector<std::byte>(const Addresses&)> args) {
  Step step{kernel, grid, {}, std::move(args), {}};
  for (const Buffer buffer : reads) {
    step.uses.push_back({buffer.id, false});
  }
  for (const Buffer buffer : writes) {
    step.uses.push_back({buffer.id, true});
  }
  steps_.push_back(std::move(step));
}

Index Plan::place() {
  const Order order(*this);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    steps_[s].after = order.direct(static_cast<int>(s));
  }
  const Layout layout = lay_out(*this, order);
  for (std::size_t b = 0; b < buffers_.size(); ++b) {
    buffers_[b].offset = layout.offsets[b];
  }
  arena_size_ = layout.bytes;
  return arena_size_;
}

}  // namespace sakedge::cuda
