#include "cuda/driver/driver.h"

#include "cuda/driver/library.h"

namespace sakedge::cuda {
namespace {

#ifdef _WIN32
constexpr char kLibrary[] = "nvcuda.dll";
#else
constexpr char kLibrary[] = "libcuda.so.1";
#endif

constexpr char kRemedy[] = "install NVIDIA's driver of CUDA 12.0 or newer (on a Jetson: JetPack 6)";

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

Expected<Driver> open_driver(const std::string& library) {
  std::string error;
  void* handle = open_library(library, error);
  if (handle == nullptr) {
    return Status(Code::kDriverMissing, "no CUDA driver: " + error + "; " + kRemedy);
  }
  Driver driver;
  std::string missing;
  const auto resolve = [&](auto& function, const char* name) {
    void* address = function_of(handle, name);
    if (address == nullptr && missing.empty()) {
      missing = name;
    }
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  };
#define FUNCTION(name, parameters) resolve(driver.name, #name);
#include "cuda/driver/functions.def"
#undef FUNCTION

  int version = 0;
  if (driver.cuDriverGetVersion != nullptr) {
    driver.cuDriverGetVersion(&version);
  }
  if (!missing.empty() || version < kOldestDriver) {
    return Status(Code::kDriverMissing,
                  "the CUDA driver is too old: expected " + version_text(kOldestDriver) +
                      " or newer, got " + version_text(version) +
                      (missing.empty() ? "" : ", without " + missing) + "; " + kRemedy);
  }
  return driver;
}

Expected<const Driver*> driver() {
  static const Expected<Driver> kOpened = open_driver(kLibrary);
  if (!kOpened.ok()) {
    return kOpened.status();
  }
  const Driver& driver = kOpened.value();
  const Status status = status_of(driver, driver.cuInit(0), "cuInit");  // again: costs nothing
  if (status.code() == Code::kDeviceLost) {  // before there was anything on it
    return Status(Code::kNoDevice,
                  "no device starts: " + status.message().substr(0, status.message().find(": ")) +
                      "; see dmesg, and that a container is given the device");
  }
  if (!status.ok()) {
    return status;
  }
  return &driver;
}

}  // namespace sakedge::cuda
