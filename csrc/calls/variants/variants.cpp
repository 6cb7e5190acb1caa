#include "calls/variants/variants.h"

#include <algorithm>

namespace sakedge::calls {

#if defined(__x86_64__) || defined(_M_X64)
namespace avx_vnni_evex {
extern const cpu::KernelTable kTable;
}
namespace avx_vnni_emulated {
extern const cpu::KernelTable kTable;
}
#endif

const std::vector<cpu::Isa>& all_isas() {
  static const std::vector<cpu::Isa> kAll = [] {
    std::vector<cpu::Isa> all(cpu::isas().begin(), cpu::isas().end());
#if defined(__x86_64__) || defined(_M_X64)
    // Before the set that they are variants of: what they lack comes from the same sets.
    const auto place = std::ranges::find(all, "avx_vnni", &cpu::Isa::name);
    all.insert(place, {{"avx_vnni_evex", &avx_vnni_evex::kTable, cpu::kAvx512 | cpu::kAvx512Vnni},
                       {"avx_vnni_emulated", &avx_vnni_emulated::kTable, cpu::kAvx2}});
#endif
    return all;
  }();
  return kAll;
}

}  // namespace sakedge::calls
