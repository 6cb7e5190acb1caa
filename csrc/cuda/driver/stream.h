#pragma once

#include <memory>

#include "core/index.h"
#include "core/status.h"
#include "cuda/driver/context.h"
#include "cuda/driver/module.h"

namespace sakedge::cuda {

// A moment in a stream.
class Event {
 public:
  static Expected<Event> make(std::shared_ptr<Context> context);

  Event(Event&& other) noexcept;
  Event& operator=(Event&& other) noexcept;
  ~Event();

  CUevent handle() const { return handle_; }

  // Milliseconds from `start`; both are over.
  Expected<float> since(const Event& start) const;

 private:
  Event(std::shared_ptr<Context> context, CUevent handle);

  std::shared_ptr<Context> context_;
  CUevent handle_ = nullptr;
};

// Work of a device, done one after the other, some time after it was asked for: what a copy reads
// must stay until then. A failure shows in any later call.
class Stream {
 public:
  static Expected<Stream> make(std::shared_ptr<Context> context);

  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  CUstream handle() const { return handle_; }

  Status copy_in(void* device, const void* host, Index bytes);
  Status copy_out(void* host, const void* device, Index bytes);
  // `args` is the kernel's one parameter; it is read before this returns.
  Status launch(const Kernel& kernel, Grid grid, const void* args);
  Status record(Event& event);
  // Blocks until all is done.
  Status wait();

 private:
  Stream(std::shared_ptr<Context> context, CUstream handle);

  std::shared_ptr<Context> context_;
  CUstream handle_ = nullptr;
};

}  // namespace sakedge::cuda
