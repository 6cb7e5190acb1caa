#include "calls/peak/peaks.h"

namespace sakedge::calls {

#define ISA(name)            \
  namespace name {           \
  extern const Peaks kPeaks; \
  }
#include "calls/peak/isas.def"
#undef ISA

const Peaks& peaks_of(std::string_view isa) {
  static constexpr Peaks kNone{};
#define ISA(name)        \
  if (isa == #name) {    \
    return name::kPeaks; \
  }
#include "calls/peak/isas.def"
#undef ISA
  return kNone;
}

}  // namespace sakedge::calls
