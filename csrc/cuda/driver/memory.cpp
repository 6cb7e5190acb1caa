#include "cuda/driver/memory.h"

#include <utility>

namespace sakedge::cuda {
namespace {

std::string mib(Index bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

std::byte* pointer(CUdeviceptr address) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the driver's addresses are integers.
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
}

CUdeviceptr address(const std::byte* data) {
  return static_cast<CUdeviceptr>(reinterpret_cast<std::uintptr_t>(data));
}

}  // namespace

Expected<DeviceMemory> DeviceMemory::make(std::shared_ptr<Context> context, Index bytes) {
  DeviceMemory memory;
  if (bytes > 0) {
    const Current current(*context);
    CUdeviceptr data = 0;
    const Status status =
        SAKEDGE_CALL(*context, cuMemAlloc_v2, &data, static_cast<std::size_t>(bytes));
    if (status.code() == Code::kDeviceMemory) {
      const Expected<Context::Memory> left = context->memory();
      return Status(status.code(),
                    "expected " + mib(bytes) + " of device memory" +
                        (left.ok() ? ", got " + mib(left.value().free) + " that are free of " +
                                         mib(left.value().total)
                                   : "") +
                        "; " + status.message());
    }
    if (!status.ok()) {
      return status;
    }
    memory.data_ = pointer(data);
    memory.size_ = bytes;
  }
  memory.context_ = std::move(context);
  return memory;
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

DeviceMemory::~DeviceMemory() {
  if (data_ != nullptr) {
    const Current current(*context_);
    context_->driver().cuMemFree_v2(address(data_));
  }
}

Expected<HostMemory> HostMemory::make(std::shared_ptr<Context> context, Index bytes) {
  HostMemory memory;
  if (bytes > 0) {
    const Current current(*context);
    const bool mapped = context->info().integrated;
    void* data = nullptr;
    Status status =
        SAKEDGE_CALL(*context, cuMemHostAlloc, &data, static_cast<std::size_t>(bytes),
                     CU_MEMHOSTALLOC_PORTABLE | (mapped ? CU_MEMHOSTALLOC_DEVICEMAP : 0u));
    if (!status.ok()) {
      return Status(status.code(),
                    "expected " + mib(bytes) + " of pinned memory; " + status.message());
    }
    memory.context_ = std::move(context);
    memory.data_ = static_cast<std::byte*>(data);
    memory.size_ = bytes;
    if (mapped) {
      CUdeviceptr device = 0;
      status = SAKEDGE_CALL(*memory.context_, cuMemHostGetDevicePointer_v2, &device, data, 0);
      if (!status.ok()) {
        return status;
      }
      memory.device_ = pointer(device);
    }
  }
  return memory;
}

HostMemory::HostMemory(HostMemory&& other) noexcept { *this = std::move(other); }

HostMemory& HostMemory::operator=(HostMemory&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(data_, other.data_);
  std::swap(device_, other.device_);
  std::swap(size_, other.size_);
  return *this;
}

HostMemory::~HostMemory() {
  if (data_ != nullptr) {
    const Current current(*context_);
    context_->driver().cuMemFreeHost(data_);
  }
}

}  // namespace sakedge::cuda
