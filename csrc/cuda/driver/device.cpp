#include "cuda/driver/device.h"

#include <array>

namespace sakedge::cuda {
namespace {

// Calls until one fails; that is the one to report.
class Calls {
 public:
  explicit Calls(const Driver& driver) : driver_(driver) {}

  void operator()(CUresult result, const char* call) {
    if (status.ok() && result != CUDA_SUCCESS) {
      status = status_of(driver_, result, call);
    }
  }
  int attribute(CUdevice_attribute which, CUdevice device) {
    int value = 0;
    (*this)(driver_.cuDeviceGetAttribute(&value, which, device), "cuDeviceGetAttribute");
    return value;
  }

  Status status;

 private:
  const Driver& driver_;
};

Expected<DeviceInfo> info_of(const Driver& driver, int ordinal) {
  Calls calls(driver);
  CUdevice device = 0;
  std::array<char, 256> name = {};
  std::size_t memory = 0;
  DeviceInfo info;
  info.ordinal = ordinal;
  calls(driver.cuDeviceGet(&device, ordinal), "cuDeviceGet");
  calls(driver.cuDeviceGetName(name.data(), static_cast<int>(name.size()) - 1, device),
        "cuDeviceGetName");
  calls(driver.cuDeviceTotalMem_v2(&memory, device), "cuDeviceTotalMem_v2");
  calls(driver.cuDriverGetVersion(&info.driver_version), "cuDriverGetVersion");
  info.name = name.data();
  info.memory = static_cast<Index>(memory);
  info.major = calls.attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
  info.minor = calls.attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
  info.multiprocessors = calls.attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device);
  info.shared = calls.attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device);
  info.integrated = calls.attribute(CU_DEVICE_ATTRIBUTE_INTEGRATED, device) != 0;
  if (!calls.status.ok()) {
    return calls.status;
  }
  return info;
}

}  // namespace

Expected<std::vector<DeviceInfo>> devices() {
  const Expected<const Driver*> found = driver();
  if (!found.ok()) {
    return found.status();
  }
  const Driver& api = *found.value();
  int count = 0;
  CUresult result = api.cuDeviceGetCount(&count);
  if (result == CUDA_SUCCESS && count == 0) {
    result = CUDA_ERROR_NO_DEVICE;
  }
  if (result != CUDA_SUCCESS) {
    return status_of(api, result, "cuDeviceGetCount");
  }
  std::vector<DeviceInfo> infos;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    Expected<DeviceInfo> info = info_of(api, ordinal);
    if (!info.ok()) {
      return info.status();
    }
    infos.push_back(std::move(info).take());
  }
  return infos;
}

}  // namespace sakedge::cuda
