#include "cuda/driver/context.h"

#include <utility>

namespace sakedge::cuda {

Expected<std::shared_ptr<Context>> Context::make(int ordinal) {
  Expected<std::vector<DeviceInfo>> found = devices();
  if (!found.ok()) {
    return found.status();
  }
  std::vector<DeviceInfo> infos = std::move(found).take();
  if (ordinal < 0 || ordinal >= static_cast<int>(infos.size())) {
    return Status(Code::kInvalid, "expected a device from 0 to " +
                                      std::to_string(infos.size() - 1) + ", got " +
                                      std::to_string(ordinal));
  }
  const Driver& api = *cuda::driver().value();
  CUcontext handle = nullptr;
  // The primary context is retained for every Context: the driver counts.
  CUdevice device = 0;
  Status status = status_of(api, api.cuDeviceGet(&device, ordinal), "cuDeviceGet");
  if (status.ok()) {
    status =
        status_of(api, api.cuDevicePrimaryCtxRetain(&handle, device), "cuDevicePrimaryCtxRetain");
  }
  if (!status.ok()) {
    return status;
  }
  return std::shared_ptr<Context>(
      new Context(api, std::move(infos[static_cast<std::size_t>(ordinal)]), device, handle));
}

Context::Context(const Driver& driver, DeviceInfo info, CUdevice device, CUcontext handle)
    : driver_(driver), info_(std::move(info)), device_(device), handle_(handle) {}

Context::~Context() { driver_.cuDevicePrimaryCtxRelease_v2(device_); }

Expected<Context::Memory> Context::memory() const {
  const Current current(*this);
  std::size_t free = 0;
  std::size_t total = 0;
  const Status status = SAKEDGE_CALL(*this, cuMemGetInfo_v2, &free, &total);
  if (!status.ok()) {
    return status;
  }
  return Memory{static_cast<Index>(free), static_cast<Index>(total)};
}

// A context that cannot be pushed lets the calls that follow fail, which report it.
Current::Current(const Context& context)
    : driver_(context.driver()),
      pushed_(driver_.cuCtxPushCurrent_v2(context.handle()) == CUDA_SUCCESS) {}

Current::~Current() {
  if (pushed_) {
    CUcontext popped = nullptr;
    driver_.cuCtxPopCurrent_v2(&popped);
  }
}

}  // namespace sakedge::cuda
