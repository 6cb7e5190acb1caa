#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "core/index.h"

namespace sakedge {

// A cache line on every CPU that sakedge runs on, and the widest vector register (AVX-512).
inline constexpr std::size_t kAlignment = 64;

// Floats up to the next multiple of the alignment, so that neighbours in one buffer stay aligned.
inline Index aligned_floats(Index count) {
  constexpr Index kFloats = static_cast<Index>(kAlignment / sizeof(float));
  return (count + kFloats - 1) / kFloats * kFloats;
}

// Owns floats aligned to kAlignment. Movable, not copyable; contents start indeterminate.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  // Throws std::bad_alloc.
  explicit AlignedBuffer(Index count)
      : data_(static_cast<float*>(::operator new(static_cast<std::size_t>(count) * sizeof(float),
                                                 std::align_val_t{kAlignment}))),
        size_(count) {}

  float* data() const { return data_.get(); }
  Index size() const { return size_; }

  // Makes room for `count` floats; what was in the buffer is lost when it has to grow.
  void reserve(Index count) {
    if (count > size_) {
      data_.reset();  // before allocating: the peak is the new size, not the sum
      size_ = 0;
      *this = AlignedBuffer(count);
    }
  }

 private:
  struct Free {
    void operator()(float* data) const { ::operator delete(data, std::align_val_t{kAlignment}); }
  };

  std::unique_ptr<float, Free> data_;
  Index size_ = 0;
};

}  // namespace sakedge
