#pragma once

#include <cstddef>

namespace sakedge {

// Every size, stride and loop counter. Signed, so that differences and descending loops are plain.
using Index = std::ptrdiff_t;

}  // namespace sakedge
