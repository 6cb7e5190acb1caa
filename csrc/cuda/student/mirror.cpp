#include "cuda/student/mirror.h"

#include <utility>

namespace sakedge::cuda {

// The old memory goes first: there need not be room for both.
Status reserve(DeviceMemory& memory, const std::shared_ptr<Context>& context, Index bytes) {
  if (bytes <= memory.size()) {
    return {};
  }
  memory = {};
  Expected<DeviceMemory> made = DeviceMemory::make(context, bytes);
  if (!made.ok()) {
    return made.status();
  }
  memory = std::move(made).take();
  return {};
}

Status Mirror::reserve(const std::shared_ptr<Context>& context, Index bytes) {
  if (bytes <= host_.size()) {
    return {};
  }
  host_ = {};
  device_ = {};
  Expected<HostMemory> host = HostMemory::make(context, bytes);
  if (!host.ok()) {
    return host.status();
  }
  if (host.value().device() == nullptr) {
    if (Status status = cuda::reserve(device_, context, bytes); !status.ok()) {
      return status;
    }
  }
  host_ = std::move(host).take();
  return {};
}

Status Mirror::to_device(Stream& stream, Index begin, Index end) const {
  return is_one() || begin == end
             ? Status()
             : stream.copy_in(device_.data() + begin, host_.data() + begin, end - begin);
}

Status Mirror::to_host(Stream& stream, Index begin, Index end) const {
  return is_one() || begin == end
             ? Status()
             : stream.copy_out(host_.data() + begin, device_.data() + begin, end - begin);
}

}  // namespace sakedge::cuda
