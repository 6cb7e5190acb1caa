#pragma once

#include "core/aligned.h"

namespace sakedge {

// Carves aligned arrays from a block of memory, one after the other. Without a block it measures
// the memory that the same arrays would need, so that a layout is written down once.
class Carver {
 public:
  explicit Carver(std::byte* block = nullptr) : block_(block) {}

  template <typename T>
  T* take(Index count) {
    void* const taken = block_ == nullptr ? nullptr : block_ + used_;
    used_ += aligned_count<T>(count) * static_cast<Index>(sizeof(T));
    return static_cast<T*>(taken);
  }

  Index used() const { return used_; }

 private:
  std::byte* block_;
  Index used_ = 0;
};

}  // namespace sakedge
