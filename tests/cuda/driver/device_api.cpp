// The driver API: devices, contexts, errors.
#include <cstring>

#include "current.h"
#include "exported.h"
#include "memory.h"

using namespace sakedge::emulated;

namespace {

bool exists(CUdevice device) { return device >= 0 && device < number("DEVICES"); }

// The primary context of a device.
Context& context_of(CUdevice device) {
  auto& contexts = machine().contexts;
  while (static_cast<int>(contexts.size()) <= device) {
    contexts.push_back(std::make_unique<Context>());
    contexts.back()->device = static_cast<int>(contexts.size()) - 1;
  }
  return *contexts[static_cast<std::size_t>(device)];
}

const char* name_of(CUresult error) {
  switch (error) {
    case CUDA_SUCCESS:
      return "CUDA_SUCCESS";
    case CUDA_ERROR_INVALID_VALUE:
      return "CUDA_ERROR_INVALID_VALUE";
    case CUDA_ERROR_OUT_OF_MEMORY:
      return "CUDA_ERROR_OUT_OF_MEMORY";
    case CUDA_ERROR_NO_DEVICE:
      return "CUDA_ERROR_NO_DEVICE";
    case CUDA_ERROR_INVALID_PTX:
      return "CUDA_ERROR_INVALID_PTX";
    case CUDA_ERROR_NO_BINARY_FOR_GPU:
      return "CUDA_ERROR_NO_BINARY_FOR_GPU";
    case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
      return "CUDA_ERROR_UNSUPPORTED_PTX_VERSION";
    case CUDA_ERROR_ILLEGAL_ADDRESS:
      return "CUDA_ERROR_ILLEGAL_ADDRESS";
    case CUDA_ERROR_LAUNCH_FAILED:
      return "CUDA_ERROR_LAUNCH_FAILED";
    default:
      return nullptr;  // as a driver that is older than the error
  }
}

std::string left(const Context& context) {
  std::string what = leaks(context);
  const auto add = [&](std::size_t count, const char* kind) {
    what += count == 0 ? "" : ", " + std::to_string(count) + " " + kind;
  };
  const Machine& m = machine();
  add(m.modules.of(&context), "modules");
  add(m.streams.of(&context), "streams");
  add(m.events.of(&context), "events");
  add(m.graphs.of(&context), "graphs");
  add(m.execs.of(&context), "executable graphs");
  return what;
}

}  // namespace

EXPORTED CUresult cuInit(unsigned) {
  const std::lock_guard guard(lock());
  const auto result = static_cast<CUresult>(number("INIT"));
  machine().initialised = result == CUDA_SUCCESS && number("DEVICES") > 0;
  return result != CUDA_SUCCESS || machine().initialised ? result : CUDA_ERROR_NO_DEVICE;
}

EXPORTED CUresult cuDriverGetVersion(int* version) {
  *version = static_cast<int>(number("VERSION"));
  return CUDA_SUCCESS;
}

EXPORTED CUresult cuGetErrorName(CUresult error, const char** text) {
  *text = name_of(error);
  return *text == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

EXPORTED CUresult cuGetErrorString(CUresult error, const char** text) {
  *text = name_of(error) == nullptr ? nullptr : "emulated";
  return *text == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

EXPORTED CUresult cuDeviceGetCount(int* count) {
  *count = static_cast<int>(number("DEVICES"));
  return machine().initialised ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

EXPORTED CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  *device = ordinal;
  return !machine().initialised ? CUDA_ERROR_NOT_INITIALIZED
         : exists(ordinal)      ? CUDA_SUCCESS
                                : CUDA_ERROR_INVALID_DEVICE;
}

EXPORTED CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  std::strncpy(name, text("NAME").c_str(), static_cast<std::size_t>(length));
  return exists(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

EXPORTED CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
  *bytes = static_cast<std::size_t>(number("MEMORY"));
  return exists(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

EXPORTED CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  const char* setting = nullptr;
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      setting = "MULTIPROCESSORS";
      break;
    case CU_DEVICE_ATTRIBUTE_INTEGRATED:
      setting = "INTEGRATED";
      break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      setting = "MAJOR";
      break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      setting = "MINOR";
      break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
      setting = "SHARED";
      break;
  }
  if (setting == nullptr) {
    return misuse("an attribute of devices that is not emulated");
  }
  *value = static_cast<int>(number(setting));
  return exists(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

EXPORTED CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  const std::lock_guard guard(lock());
  if (!exists(device)) {
    return CUDA_ERROR_INVALID_DEVICE;
  }
  *context = &context_of(device);
  if ((*context)->lost == CUDA_SUCCESS) {
    ++(*context)->retained;
  }
  return (*context)->lost;
}

EXPORTED CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  const std::lock_guard guard(lock());
  Context& context = context_of(device);
  if (context.retained == 0) {
    return misuse("a context is released that is not retained", CUDA_ERROR_INVALID_CONTEXT);
  }
  if (--context.retained == 0 && context.lost == CUDA_SUCCESS && !left(context).empty()) {
    finding("left when the context was released" + left(context));
  }
  return CUDA_SUCCESS;
}

EXPORTED CUresult cuCtxPushCurrent_v2(CUcontext context) {
  const std::lock_guard guard(lock());
  if (context->retained == 0) {
    return misuse("a context that is not retained is pushed", CUDA_ERROR_INVALID_CONTEXT);
  }
  current().push_back(context);
  return CUDA_SUCCESS;
}

EXPORTED CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  if (current().empty()) {
    return misuse("no context is there to be popped", CUDA_ERROR_INVALID_CONTEXT);
  }
  *context = current().back();
  current().pop_back();
  return CUDA_SUCCESS;
}

// As if the process had just started: whoever still has an object of the driver must not use it.
EXPORTED void emulated_reset() {
  const std::lock_guard guard(lock());
  for (const auto& context : machine().contexts) {
    release_all(*context);
    context->retained = 0;
    context->lost = CUDA_SUCCESS;
  }
  Machine& m = machine();
  m.modules.clear();
  m.streams.clear();
  m.events.clear();
  m.graphs.clear();
  m.execs.clear();
  m.launches = 0;
  m.seed = static_cast<std::uint64_t>(number("SEED"));
}
