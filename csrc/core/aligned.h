#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "core/index.h"
#include "core/limits.h"

namespace sakedge {

// A cache line on every CPU that sakedge runs on, and the widest vector register (AVX-512).
inline constexpr std::size_t kAlignment = 64;

// Up to the next multiple of the alignment, so that neighbours in one buffer stay aligned.
template <typename T>
constexpr Index aligned_count(Index count) {
  constexpr Index kLine = static_cast<Index>(kAlignment / sizeof(T));
  return (count + kLine - 1) / kLine * kLine;
}

// Owns trivial elements aligned to kAlignment. Movable, not copyable; contents start uninitialised.
template <typename T>
class AlignedArray {
 public:
  AlignedArray() = default;

  // Throws std::bad_alloc; also for what a system would promise, but has no memory for.
  explicit AlignedArray(Index count) : data_(allocate(count)), size_(count) {}

  T* data() const { return data_.get(); }
  Index size() const { return size_; }

  // Makes room for `count` elements; what was in the buffer is lost when it has to grow.
  void reserve(Index count) {
    if (count > size_) {
      data_.reset();  // before allocating: the peak is the new size, not the sum
      size_ = 0;
      *this = AlignedArray(count);
    }
  }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete(data, std::align_val_t{kAlignment}); }
  };

  static T* allocate(Index count) {
    constexpr Index kSize = static_cast<Index>(sizeof(T));
    if (count < 0 || count > machine_memory() / kSize) {
      throw std::bad_alloc();
    }
    return static_cast<T*>(
        ::operator new(static_cast<std::size_t>(count * kSize), std::align_val_t{kAlignment}));
  }

  std::unique_ptr<T, Free> data_;
  Index size_ = 0;
};

using AlignedBuffer = AlignedArray<float>;
using AlignedBytes = AlignedArray<std::byte>;

}  // namespace sakedge
