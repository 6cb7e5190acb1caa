// What device the emulated driver shows, and the faults that a test plants in it. Each is
// EMULATED_CUDA_<NAME> in the environment, or set by emulated_set(), which goes before it.
#pragma once

#include <cstdint>
#include <string>

namespace sakedge::emulated {

struct Setting {
  const char* name;
  const char* value;  // where none is given
  const char* what;
};

inline constexpr Setting kSettings[] = {
    {"DEVICES", "1", "how many devices there are"},
    {"NAME", "Emulated device", "their name"},
    {"MAJOR", "8", "their compute capability"},
    {"MINOR", "7", ""},
    {"MULTIPROCESSORS", "8", ""},
    {"INTEGRATED", "0", "1: their memory is the host's"},
    {"SHARED", "101376",
     "most bytes of shared memory of a block: the least that sm_80 to sm_120 have"},
    {"MEMORY", "4294967296", "bytes of device memory, and of memory that can be pinned"},
    {"VERSION", "12060", "newest CUDA that the driver knows"},
    {"MODULES", "", "images that were translated: image file = library, divided by ':'"},
    {"SEED", "1", "of the order in which graphs run and of the emulator's schedules"},
    {"RACES", "1", "0: the emulator checks accesses for bounds and alignment only"},
    {"INIT", "0", "the CUresult of cuInit"},
    {"LOSE_AT", "0", "the launch (1 is the first) that loses the device; 0: none"},
    {"LOSE_WITH", "719", "the CUresult that it is lost with"},
};

std::string text(const char* name);
std::int64_t number(const char* name);

// Something that a caller of the driver did wrong, though the driver may not say so. Printed, and
// kept for emulated_findings().
void finding(const std::string& what);

}  // namespace sakedge::emulated
