#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "cuda/driver/memory.h"
#include "cuda/driver/stream.h"
#include "cuda/launch/kernels.h"

namespace sakedge::cuda {

// A device with our kernels on it, and the stream that parts come over: it is not the one that
// students run on, so that calls go on while a part is exchanged.
class Device {
 public:
  // `image` holds the kernels; `tiles` as Kernels.
  static Expected<std::shared_ptr<Device>> make(int ordinal, std::span<const std::byte> image,
                                                std::map<std::string, std::string> tiles);

  const std::shared_ptr<Context>& context() const { return context_; }
  const DeviceInfo& info() const { return context_->info(); }
  const Kernels& kernels() const { return kernels_; }

  // Copies to device memory that no run uses yet; it is there when this returns. From any thread.
  Status upload(std::byte* to, const std::byte* from, Index bytes);
  // The other way, of memory that nothing writes to, or that was ordered before `stream`.
  Status download(std::byte* to, const std::byte* from, Index bytes);
  CUstream stream() const { return stream_.handle(); }

 private:
  Device(std::shared_ptr<Context> context, Kernels kernels, Stream stream, HostMemory staging);

  // In pieces: `copy(at, count)` for each.
  template <class Copy>
  static Status in_pieces(Index bytes, const Copy& copy);

  std::shared_ptr<Context> context_;
  Kernels kernels_;
  std::mutex mutex_;  // of what follows
  Stream stream_;
  HostMemory staging_;
};

}  // namespace sakedge::cuda
