#include "cuda/plan/order.h"

#include <functional>

namespace sakedge::cuda {
namespace {

bool overlap(const std::vector<Plan::Extent>& buffers, int a, int b) {
  if (a == b) {
    return true;
  }
  const Plan::Extent& x = buffers[static_cast<std::size_t>(a)];
  const Plan::Extent& y = buffers[static_cast<std::size_t>(b)];
  // std::less orders pointers into different memory, too.
  const std::less<const std::byte*> less;
  return x.data != nullptr && y.data != nullptr && less(x.data, y.data + y.bytes) &&
         less(y.data, x.data + x.bytes);
}

bool conflict(const std::vector<Plan::Extent>& buffers, const Plan::Step& a, const Plan::Step& b) {
  for (const Plan::Use& x : a.uses) {
    for (const Plan::Use& y : b.uses) {
      if ((x.write || y.write) && overlap(buffers, x.buffer, y.buffer)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

Order::Order(const Plan& plan) {
  const std::vector<Plan::Step>& steps = plan.steps();
  const std::size_t words = (steps.size() + 63) / 64;
  ancestors_.assign(steps.size(), std::vector<std::uint64_t>(words, 0));
  direct_.resize(steps.size());
  for (std::size_t j = 0; j < steps.size(); ++j) {
    // From the nearest: a step that a later one waits for already is not waited for again.
    for (std::size_t i = j; i-- > 0;) {
      if (before(static_cast<int>(i), static_cast<int>(j)) ||
          !conflict(plan.buffers(), steps[i], steps[j])) {
        continue;
      }
      direct_[j].push_back(static_cast<int>(i));
      ancestors_[j][i / 64] |= std::uint64_t{1} << (i % 64);
      for (std::size_t w = 0; w < words; ++w) {
        ancestors_[j][w] |= ancestors_[i][w];
      }
    }
  }
}

}  // namespace sakedge::cuda
