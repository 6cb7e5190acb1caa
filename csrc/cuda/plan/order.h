#pragma once

#include <cstdint>
#include <vector>

#include "core/index.h"
#include "cuda/plan/plan.h"

namespace sakedge::cuda {

// Which steps of a plan must be over before which: step j comes after step i < j where they use the
// same memory and one of them writes it.
class Order {
 public:
  // Of the buffers as they are declared: scratch buffers are apart, fixed ones may overlap.
  explicit Order(const Plan& plan);

  // Whether step i must be over before step j begins, perhaps for the sake of one between them.
  bool before(int i, int j) const {
    return (ancestors_[index(j)][index(i) / 64] >> (index(i) % 64) & 1) != 0;
  }

  // What step j waits for, and no step that another of them waits for already.
  const std::vector<int>& direct(int j) const { return direct_[index(j)]; }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }

  std::vector<std::vector<std::uint64_t>> ancestors_;
  std::vector<std::vector<int>> direct_;
};

}  // namespace sakedge::cuda
