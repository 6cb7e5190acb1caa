#include "core/limits.h"

#include <cmath>
#include <limits>
#include <string>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <unistd.h>
#endif

namespace sakedge {
namespace {

Index ask_the_system() {
#ifdef _WIN32
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof(status);
  return GlobalMemoryStatusEx(&status) != 0 ? static_cast<Index>(status.ullTotalPhys) : 0;
#else
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<Index>(pages) * static_cast<Index>(size) : 0;
#endif
}

}  // namespace

Status check_work(double multiplications) {
  if (multiplications <= kMostWork) {
    return {};
  }
  const auto billions = [](double number) { return std::to_string(std::llround(number / 1e9)); };
  return {Code::kInvalid, "too much work for one call: expected at most " + billions(kMostWork) +
                              "e9 multiplications, got " + billions(multiplications) + "e9"};
}

Index machine_memory() {
  static const Index kMemory = ask_the_system();
  return kMemory > 0 ? kMemory : std::numeric_limits<Index>::max();
}

}  // namespace sakedge
