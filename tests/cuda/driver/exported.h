#pragma once

#include <utility>

#include "cuda/driver/api.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace sakedge::cuda {

// Every function of the list under its plain name: a definition must fit.
#define FUNCTION(name, parameters) EXPORTED CUresult name parameters;
#include "cuda/driver/functions.def"
#undef FUNCTION

}  // namespace sakedge::cuda
