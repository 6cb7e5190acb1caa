#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "core/index.h"
#include "core/status.h"

namespace sakedge::cuda {

// A part as it will lie in device memory: arrays one after the other, and tables with addresses of
// them. Without a block it measures, so that a layout is written down once (as core/carver.h).
class PartImage {
 public:
  // Of every array: what the kernels' asynchronous copies and a whole cache line ask for.
  static constexpr Index kAlignment = 128;

  PartImage() = default;
  // Writes to `host` what will lie at `device`. The block is all zeros.
  PartImage(std::byte* host, std::byte* device) : host_(host), device_(device) {}

  // An array: where it is written, null while measuring, and where it will lie.
  template <class T>
  struct Array {
    T* host;
    const T* device;
  };
  template <class T>
  Array<T> take(Index count) {
    const Index at = used_;
    used_ += (count * static_cast<Index>(sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
    if (host_ == nullptr) {
      return {nullptr, nullptr};
    }
    return {reinterpret_cast<T*>(host_ + at), reinterpret_cast<const T*>(device_ + at)};
  }
  template <class T>
  const T* put(std::span<const T> values) {
    const Array<T> array = take<T>(static_cast<Index>(values.size()));
    for (std::size_t i = 0; i < values.size() && array.host != nullptr; ++i) {
      array.host[i] = values[i];
    }
    return array.device;
  }

  bool is_measuring() const { return host_ == nullptr; }
  Index used() const { return used_; }

  // The first problem counts.
  void fail(std::string problem) {
    if (status_.ok()) {
      status_ = Status(Code::kInvalid, std::move(problem));
    }
  }
  const Status& status() const { return status_; }

 private:
  std::byte* host_ = nullptr;
  std::byte* device_ = nullptr;
  Index used_ = 0;
  Status status_;
};

}  // namespace sakedge::cuda
