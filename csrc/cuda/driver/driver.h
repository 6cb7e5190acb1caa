#pragma once

#include <string>

#include "core/status.h"
#include "cuda/driver/api.h"

namespace sakedge::cuda {

// The driver's functions. Found by name when they are first needed: a machine without CUDA loads
// this code as any other.
struct Driver {
#define FUNCTION(name, parameters) CUresult(*name) parameters = nullptr;
#include "cuda/driver/functions.def"
#undef FUNCTION
};

// CUDA 12.0, as cuDriverGetVersion writes it. Older drivers take no modules of ours.
inline constexpr int kOldestDriver = 12000;

// The driver of this machine, opened by the first call and kept. Fails with kDriverMissing if there
// is none, or none that serves, and with kNoDevice if it finds no device.
Expected<const Driver*> driver();

// A driver by the name of its library. Fails with kDriverMissing.
Expected<Driver> open_driver(const std::string& library);

// How a call of the driver went. A failure names the call and the error, and says what to do:
//   kDeviceMemory  out of memory; everything that is there stays usable
//   kDeviceLost    the device's memory and all that runs on it is gone, for this whole process
//   kDriver        anything else; no more than this call has failed
Status status_of(const Driver& driver, CUresult result, const char* call);

}  // namespace sakedge::cuda
