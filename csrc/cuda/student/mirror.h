#pragma once

#include <memory>

#include "cuda/driver/memory.h"
#include "cuda/driver/stream.h"

namespace sakedge::cuda {

// Memory that host and device both see: a piece of each and copies between them, or on an
// integrated device one piece and no copies.
class Mirror {
 public:
  // Makes room for so many bytes; what it held is lost where that takes other memory. Nothing may
  // be using it. Fails with kDeviceMemory, and is empty then.
  Status reserve(const std::shared_ptr<Context>& context, Index bytes);

  std::byte* host() const { return host_.data(); }
  std::byte* device() const { return is_one() ? host_.device() : device_.data(); }
  // Bytes of it, on the host and on the device together.
  Index memory() const { return host_.size() + device_.size(); }

  Status to_device(Stream& stream, Index begin, Index end) const;
  Status to_host(Stream& stream, Index begin, Index end) const;

 private:
  bool is_one() const { return host_.device() != nullptr; }

  HostMemory host_;
  DeviceMemory device_;
};

// The same of device memory alone.
Status reserve(DeviceMemory& memory, const std::shared_ptr<Context>& context, Index bytes);

}  // namespace sakedge::cuda
