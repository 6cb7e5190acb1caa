#include "calls/variants/variants.h"

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
    std::vector<cpu::Isa> all;
#if defined(__x86_64__) || defined(_M_X64)
    all.push_back({"avx_vnni_evex", &avx_vnni_evex::kTable, cpu::kAvx512 | cpu::kAvx512Vnni});
    all.push_back({"avx_vnni_emulated", &avx_vnni_emulated::kTable, cpu::kAvx2});
#endif
    all.insert(all.end(), cpu::isas().begin(), cpu::isas().end());
    return all;
  }();
  return kAll;
}

}  // namespace sakedge::calls
