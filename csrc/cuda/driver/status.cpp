#include "cuda/driver/driver.h"

namespace sakedge::cuda {
namespace {

struct Kind {
  CUresult result;
  Code code;
  const char* remedy;
};

constexpr char kLost[] =
    "what was on the device is gone, for this whole process: start it again, and see dmesg";
constexpr char kKernelFault[] =
    "a kernel of this process failed, and what was on the device is gone: start it again; if none "
    "but sakedge's kernels ran here, report it";

constexpr Kind kKinds[] = {
    {CUDA_ERROR_OUT_OF_MEMORY, Code::kDeviceMemory,
     "free device memory: a smaller batch, fewer adapters, or end what else runs there"},
    {CUDA_ERROR_NO_DEVICE, Code::kNoDevice,
     "see that nvidia-smi lists a device, and what CUDA_VISIBLE_DEVICES leaves of them"},
    {CUDA_ERROR_STUB_LIBRARY, Code::kDriverMissing,
     "the toolkit's stub of the driver was found first: take it off LD_LIBRARY_PATH"},
    {CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, Code::kDriverMissing,
     "kernel module and library of the driver differ in version: restart the machine"},
    {CUDA_ERROR_NOT_INITIALIZED, Code::kDriver,
     "after a fork there is no CUDA in the child: start processes with \"spawn\""},
    {CUDA_ERROR_DEINITIALIZED, Code::kDriver, "the process is ending"},
    {CUDA_ERROR_DEVICE_UNAVAILABLE, Code::kDriver,
     "another process has the device to itself: see nvidia-smi"},
    {CUDA_ERROR_NO_BINARY_FOR_GPU, Code::kDriver,
     "this build has no kernels for the device: expected compute capability 8.0 or newer"},
    {CUDA_ERROR_UNSUPPORTED_PTX_VERSION, Code::kDriver,
     "the driver is older than this build's kernels: install one of CUDA 12.6 or newer"},
    {CUDA_ERROR_JIT_COMPILER_NOT_FOUND, Code::kDriver,
     "the driver's compiler (libnvidia-ptxjitcompiler) is missing: install the whole driver"},
    {CUDA_ERROR_ECC_UNCORRECTABLE, Code::kDeviceLost,
     "the device's memory failed, and what was on it is gone: restart the process; if it comes "
     "again, replace the device"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_ASSERT, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_HARDWARE_STACK_ERROR, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_ILLEGAL_INSTRUCTION, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_MISALIGNED_ADDRESS, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_INVALID_ADDRESS_SPACE, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_INVALID_PC, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_LAUNCH_FAILED, Code::kDeviceLost, kKernelFault},
    {CUDA_ERROR_LAUNCH_TIMEOUT, Code::kDeviceLost,
     "the system ends kernels that keep a display waiting; start the process again, without one"},
    {CUDA_ERROR_NVLINK_UNCORRECTABLE, Code::kDeviceLost, kLost},
    {CUDA_ERROR_CONTEXT_IS_DESTROYED, Code::kDeviceLost, kLost},
    {CUDA_ERROR_MPS_CLIENT_TERMINATED, Code::kDeviceLost, kLost},
    {CUDA_ERROR_UNKNOWN, Code::kDeviceLost, kLost},
};

}  // namespace

Status status_of(const Driver& driver, CUresult result, const char* call) {
  if (result == CUDA_SUCCESS) {
    return {};
  }
  const char* name = nullptr;
  const char* text = nullptr;
  driver.cuGetErrorName(result, &name);
  driver.cuGetErrorString(result, &text);
  std::string message = std::string(call) + " failed with " +
                        (name != nullptr ? name : "error " + std::to_string(result));
  if (text != nullptr) {
    message += std::string(" (") + text + ")";
  }
  for (const Kind& kind : kKinds) {
    if (kind.result == result) {
      return {kind.code, message + ": " + kind.remedy};
    }
  }
  return {Code::kDriver, message + ": report it, with what `sakedge doctor` prints"};
}

}  // namespace sakedge::cuda
