#pragma once

#include <memory>

#include "core/status.h"
#include "cuda/driver/device.h"
#include "cuda/driver/driver.h"

namespace sakedge::cuda {

// A device, opened. Its primary context: the one that torch and others in this process use too, so
// that memory goes from one to the other as it is. Any thread may use it.
class Context {
 public:
  // Fails with kInvalid if there is no device of this ordinal, and as driver() and status_of() do.
  static Expected<std::shared_ptr<Context>> make(int ordinal);
  ~Context();

  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const DeviceInfo& info() const { return info_; }
  const Driver& driver() const { return driver_; }
  CUcontext handle() const { return handle_; }

  Status check(CUresult result, const char* call) const {
    return result == CUDA_SUCCESS ? Status() : status_of(driver_, result, call);
  }

  // Bytes of device memory: free, in all.
  struct Memory {
    Index free = 0;
    Index total = 0;
  };
  Expected<Memory> memory() const;

 private:
  Context(const Driver& driver, DeviceInfo info, CUdevice device, CUcontext handle);

  const Driver& driver_;
  DeviceInfo info_;
  CUdevice device_;
  CUcontext handle_;
};

// The context that calls of this thread go to, while this exists. Most of what takes a context
// makes it current itself.
class Current {
 public:
  explicit Current(const Context& context);
  ~Current();

  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  const Driver& driver_;
  bool pushed_;
};

// Calls a function of the driver; the status of the call.
#define SAKEDGE_CALL(context, function, ...) \
  (context).check((context).driver().function(__VA_ARGS__), #function)

}  // namespace sakedge::cuda
