#include "cuda/driver/stream.h"

#include <utility>

namespace sakedge::cuda {
namespace {

CUdeviceptr address(const void* device) {
  return static_cast<CUdeviceptr>(reinterpret_cast<std::uintptr_t>(device));
}

std::size_t size(Index bytes) { return static_cast<std::size_t>(bytes); }

}  // namespace

Expected<Event> Event::make(std::shared_ptr<Context> context) {
  const Current current(*context);
  CUevent handle = nullptr;
  const Status status = SAKEDGE_CALL(*context, cuEventCreate, &handle, CU_EVENT_DEFAULT);
  if (!status.ok()) {
    return status;
  }
  return Event(std::move(context), handle);
}

Event::Event(std::shared_ptr<Context> context, CUevent handle)
    : context_(std::move(context)), handle_(handle) {}

Event::Event(Event&& other) noexcept { *this = std::move(other); }

Event& Event::operator=(Event&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(handle_, other.handle_);
  return *this;
}

Event::~Event() {
  if (handle_ != nullptr) {
    const Current current(*context_);
    context_->driver().cuEventDestroy_v2(handle_);
  }
}

Expected<float> Event::since(const Event& start) const {
  const Current current(*context_);
  float milliseconds = 0.0f;
  const Status status =
      SAKEDGE_CALL(*context_, cuEventElapsedTime, &milliseconds, start.handle_, handle_);
  if (!status.ok()) {
    return status;
  }
  return milliseconds;
}

Expected<Stream> Stream::make(std::shared_ptr<Context> context) {
  const Current current(*context);
  CUstream handle = nullptr;
  const Status status = SAKEDGE_CALL(*context, cuStreamCreate, &handle, CU_STREAM_NON_BLOCKING);
  if (!status.ok()) {
    return status;
  }
  return Stream(std::move(context), handle);
}

Stream::Stream(std::shared_ptr<Context> context, CUstream handle)
    : context_(std::move(context)), handle_(handle) {}

Stream::Stream(Stream&& other) noexcept { *this = std::move(other); }

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(handle_, other.handle_);
  return *this;
}

Stream::~Stream() {
  if (handle_ != nullptr) {
    const Current current(*context_);
    context_->driver().cuStreamSynchronize(handle_);  // what it works on may end with it
    context_->driver().cuStreamDestroy_v2(handle_);
  }
}

Status Stream::copy_in(void* device, const void* host, Index bytes) {
  const Current current(*context_);
  return SAKEDGE_CALL(*context_, cuMemcpyHtoDAsync_v2, address(device), host, size(bytes), handle_);
}

Status Stream::copy_out(void* host, const void* device, Index bytes) {
  const Current current(*context_);
  return SAKEDGE_CALL(*context_, cuMemcpyDtoHAsync_v2, host, address(device), size(bytes), handle_);
}

Status Stream::launch(const Kernel& kernel, Grid grid, const void* args) {
  const Current current(*context_);
  void* parameters[] = {const_cast<void*>(args)};  // the API's signature; it only reads them
  const Status status =
      SAKEDGE_CALL(*context_, cuLaunchKernel, kernel.function, static_cast<unsigned>(grid.x),
                   static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z),
                   static_cast<unsigned>(kernel.threads), 1, 1,
                   static_cast<unsigned>(kernel.shared), handle_, parameters, nullptr);
  return status.ok() ? status : Status(status.code(), kernel.name + ": " + status.message());
}

Status Stream::record(Event& event) {
  const Current current(*context_);
  return SAKEDGE_CALL(*context_, cuEventRecord, event.handle(), handle_);
}

Status Stream::wait() {
  const Current current(*context_);
  return SAKEDGE_CALL(*context_, cuStreamSynchronize, handle_);
}

}  // namespace sakedge::cuda
