#pragma once

#include <string>

namespace sakedge::cuda {

// A shared library of the system, which is never closed; null, and the loader's words in `error`,
// if it does not load.
void* open_library(const std::string& name, std::string& error);

// Null if there is none of this name.
void* function_of(void* library, const char* name);

}  // namespace sakedge::cuda
