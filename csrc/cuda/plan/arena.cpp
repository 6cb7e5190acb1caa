#include "cuda/plan/arena.h"

#include <algorithm>
#include <numeric>

namespace sakedge::cuda {
namespace {

using Users = std::vector<std::vector<int>>;  // steps, by buffer

bool all_before(const std::vector<int>& first, const std::vector<int>& then, const Order& order) {
  for (const int i : first) {
    for (const int j : then) {
      if (!order.before(i, j)) {
        return false;
      }
    }
  }
  return true;
}

// The lowest offset at which `bytes` fit between those taken.
Index first_fit(std::vector<std::pair<Index, Index>> taken, Index bytes) {
  std::sort(taken.begin(), taken.end());
  Index offset = 0;
  for (const auto& [begin, end] : taken) {
    if (offset + bytes <= begin) {
      break;
    }
    offset = std::max(offset, end);
  }
  return offset;
}

Index aligned(Index bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

}  // namespace

Layout lay_out(const Plan& plan, const Order& order) {
  const std::vector<Plan::Extent>& buffers = plan.buffers();
  Users users(buffers.size());
  for (std::size_t s = 0; s < plan.steps().size(); ++s) {
    for (const Plan::Use& use : plan.steps()[s].uses) {
      users[static_cast<std::size_t>(use.buffer)].push_back(static_cast<int>(s));
    }
  }
  // Large ones first: small ones fit between them.
  std::vector<std::size_t> by_size(buffers.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].bytes > buffers[b].bytes;
  });

  Layout layout;
  layout.offsets.assign(buffers.size(), 0);
  std::vector<std::size_t> placed;
  for (const std::size_t b : by_size) {
    if (buffers[b].data != nullptr || users[b].empty()) {
      continue;
    }
    std::vector<std::pair<Index, Index>> taken;
    for (const std::size_t p : placed) {
      if (!all_before(users[p], users[b], order) && !all_before(users[b], users[p], order)) {
        taken.emplace_back(layout.offsets[p], layout.offsets[p] + aligned(buffers[p].bytes));
      }
    }
    layout.offsets[b] = first_fit(std::move(taken), aligned(buffers[b].bytes));
    layout.bytes = std::max(layout.bytes, layout.offsets[b] + aligned(buffers[b].bytes));
    placed.push_back(b);
  }
  return layout;
}

}  // namespace sakedge::cuda
