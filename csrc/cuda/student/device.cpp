#include "cuda/student/device.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sakedge::cuda {
namespace {

// Bytes that are copied at a time: half a millisecond over PCIe 3.
constexpr Index kStaging = Index{8} << 20;

}  // namespace

Expected<std::shared_ptr<Device>> Device::make(int ordinal, std::span<const std::byte> image,
                                               std::map<std::string, std::string> tiles) {
  Expected<std::shared_ptr<Context>> context = Context::make(ordinal);
  if (!context.ok()) {
    return context.status();
  }
  Expected<std::shared_ptr<Module>> module = Module::load(context.value(), image);
  if (!module.ok()) {
    return module.status();
  }
  Expected<Kernels> kernels =
      Kernels::make(context.value()->info(), std::move(module).take(), std::move(tiles));
  if (!kernels.ok()) {
    return kernels.status();
  }
  Expected<Stream> stream = Stream::make(context.value());
  if (!stream.ok()) {
    return stream.status();
  }
  Expected<HostMemory> staging = HostMemory::make(context.value(), kStaging);
  if (!staging.ok()) {
    return staging.status();
  }
  return std::shared_ptr<Device>(new Device(std::move(context).take(), std::move(kernels).take(),
                                            std::move(stream).take(), std::move(staging).take()));
}

Device::Device(std::shared_ptr<Context> context, Kernels kernels, Stream stream, HostMemory staging)
    : context_(std::move(context)),
      kernels_(std::move(kernels)),
      stream_(std::move(stream)),
      staging_(std::move(staging)) {}

Status Device::upload(std::byte* to, const std::byte* from, Index bytes) {
  const std::lock_guard lock(mutex_);
  for (Index done = 0; done < bytes; done += kStaging) {
    const Index count = std::min(kStaging, bytes - done);
    std::memcpy(staging_.data(), from + done, static_cast<std::size_t>(count));
    Status status = stream_.copy_in(to + done, staging_.data(), count);
    if (status.ok()) {
      status = stream_.wait();
    }
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

}  // namespace sakedge::cuda
