#pragma once

#include <string>
#include <vector>

#include "core/index.h"
#include "core/status.h"
#include "cuda/driver/driver.h"

namespace sakedge::cuda {

struct DeviceInfo {
  std::string name;
  int ordinal = 0;
  int major = 0;  // of the compute capability
  int minor = 0;
  int multiprocessors = 0;
  Index memory = 0;         // bytes in all
  Index shared = 0;         // bytes that a block may ask for
  bool integrated = false;  // its memory is the host's: a Jetson
  int driver_version = 0;   // newest CUDA that the driver knows: 12060 is 12.6
};

// The devices of this machine, or of CUDA_VISIBLE_DEVICES. Fails as driver() does; there is at
// least one.
Expected<std::vector<DeviceInfo>> devices();

}  // namespace sakedge::cuda
