// The driver API: memory.
#include <cstring>

#include "exported.h"
#include "memory.h"

using namespace sakedge::emulated;

namespace {

std::byte* pointer(CUdeviceptr address) {
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
}

CUdeviceptr address(const void* data) {
  return static_cast<CUdeviceptr>(reinterpret_cast<std::uintptr_t>(data));
}

// Whether a device may touch [data, data + bytes); else a finding.
bool known(const char* what, const void* data, std::size_t bytes) {
  if (find(data, bytes, true) != nullptr) {
    return true;
  }
  finding(std::string(what) + " of " + std::to_string(bytes) +
          " bytes that are not, or no longer, in one allocation of the device");
  return false;
}

// Copies when the stream comes to it; memory of the host is read and written no sooner.
CUresult copy(const char* call, CUstream stream, void* to, bool to_device, const void* from,
              bool from_device, std::size_t bytes) {
  return in_context(call, [&](Context&) {
    const auto fits = [=] {
      return (!to_device || known("copy to", to, bytes)) &&
             (!from_device || known("copy", from, bytes));
    };
    if (!fits()) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    return enqueue(stream, [=] {
      if (!fits()) {  // freed since
        return CUDA_ERROR_ILLEGAL_ADDRESS;
      }
      std::memmove(to, from, bytes);
      return CUDA_SUCCESS;
    });
  });
}

}  // namespace

EXPORTED CUresult cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  return in_context("cuMemGetInfo", [&](Context& context) {
    *total = static_cast<std::size_t>(number("MEMORY"));
    *free = *total - std::min(*total, used_by_device(context));
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuMemAlloc_v2(CUdeviceptr* data, std::size_t bytes) {
  return in_context("cuMemAlloc", [&](Context& context) {
    if (bytes == 0) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    *data = address(allocate_device(context, bytes));
    return *data == 0 ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuMemFree_v2(CUdeviceptr data) {
  return in_context("cuMemFree", [&](Context& context) {
    return release(context, pointer(data), true) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

EXPORTED CUresult cuMemHostAlloc(void** data, std::size_t bytes, unsigned flags) {
  return in_context("cuMemHostAlloc", [&](Context& context) {
    if (bytes == 0) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    *data = allocate_host(context, bytes, (flags & CU_MEMHOSTALLOC_DEVICEMAP) != 0);
    return *data == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuMemFreeHost(void* data) {
  return in_context("cuMemFreeHost", [&](Context& context) {
    return release(context, static_cast<std::byte*>(data), false) ? CUDA_SUCCESS
                                                                  : CUDA_ERROR_INVALID_VALUE;
  });
}

EXPORTED CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* host, unsigned) {
  return in_context("cuMemHostGetDevicePointer", [&](Context&) {
    const Allocation* found = find(host, 1, false);
    if (found == nullptr || found->alias == nullptr) {
      return misuse("the device address of host memory that is not mapped");
    }
    *device = address(found->alias + (static_cast<std::byte*>(host) - found->data));
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t bytes,
                                       CUstream stream) {
  return copy("cuMemcpyHtoDAsync", stream, pointer(to), true, from, false, bytes);
}

EXPORTED CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t bytes,
                                       CUstream stream) {
  return copy("cuMemcpyDtoHAsync", stream, to, false, pointer(from), true, bytes);
}
