// A launch of a kernel, for programs and, under C names, for Python.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "emulator/block.h"

namespace sakedge::emulator {

struct Grid {
  int x = 1, y = 1, z = 1;
};

// All kernels of this program.
const std::map<std::string, Entry>& entries();

// Runs all blocks of a grid in a random order. Returns what went wrong, empty if nothing did.
// One launch at a time: others wait.
std::string launch(const Entry& entry, Grid grid, size_t shared_bytes, const void* args,
                   const Options& options, Counters& counters);

}  // namespace sakedge::emulator
