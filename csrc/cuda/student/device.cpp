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

template <class Copy>
Status Device::in_pieces(Index bytes, const Copy& copy) {
  for (Index at = 0; at < bytes; at += kStaging) {
    if (Status status = copy(at, std::min(kStaging, bytes - at)); !status.ok()) {
      return status;
    }
  }
  return {};
}

Status Device::upload(std::byte* to, const std::byte* from, Index bytes) {
  const std::lock_guard lock(mutex_);
  return in_pieces(bytes, [&](Index at, Index count) {
    std::memcpy(staging_.data(), from + at, static_cast<std::size_t>(count));
    Status status = stream_.copy_in(to + at, staging_.data(), count);
    return status.ok() ? stream_.wait() : status;
  });
}

Status Device::download(std::byte* to, const std::byte* from, Index bytes) {
  const std::lock_guard lock(mutex_);
  return in_pieces(bytes, [&](Index at, Index count) {
    Status status = stream_.copy_out(staging_.data(), from + at, count);
    if (status.ok()) {
      status = stream_.wait();
    }
    if (status.ok()) {
      std::memcpy(to + at, staging_.data(), static_cast<std::size_t>(count));
    }
    return status;
  });
}

}  // namespace sakedge::cuda
