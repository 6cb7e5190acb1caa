#pragma once

#include <cstddef>
#include <memory>

#include "core/index.h"
#include "core/status.h"
#include "cuda/driver/context.h"

namespace sakedge::cuda {

// Memory of a device, aligned to 256 bytes and not set. The address means nothing on the host.
class DeviceMemory {
 public:
  // Fails with kDeviceMemory, which says how much there is.
  static Expected<DeviceMemory> make(std::shared_ptr<Context> context, Index bytes);

  DeviceMemory() = default;
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();

  std::byte* data() const { return data_; }
  Index size() const { return size_; }

 private:
  std::shared_ptr<Context> context_;
  std::byte* data_ = nullptr;
  Index size_ = 0;
};

// Pinned memory of the host: copies from and to it go on beside the work of both.
class HostMemory {
 public:
  // Fails with kDeviceMemory: the system pins no more.
  static Expected<HostMemory> make(std::shared_ptr<Context> context, Index bytes);

  HostMemory() = default;
  HostMemory(HostMemory&& other) noexcept;
  HostMemory& operator=(HostMemory&& other) noexcept;
  ~HostMemory();

  std::byte* data() const { return data_; }
  Index size() const { return size_; }

  // Where an integrated device sees the same memory, which then is never copied; null on others.
  std::byte* device() const { return device_; }

 private:
  std::shared_ptr<Context> context_;
  std::byte* data_ = nullptr;
  std::byte* device_ = nullptr;
  Index size_ = 0;
};

}  // namespace sakedge::cuda
