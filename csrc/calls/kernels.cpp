#include "calls/kernels.h"

#include "calls/peak/peaks.h"
#include "calls/variants/variants.h"

namespace sakedge::calls {

Expected<Kernels> kernels_of(std::string_view isa) {
  const std::span<const cpu::Isa> isas = all_isas();
  const cpu::Features present = cpu::detect_features();
  const Expected<Index> chosen = cpu::choose(isas, present, isa);
  if (!chosen.ok()) {
    return chosen.status();
  }
  Kernels result{cpu::compose(isas, present, chosen.value()), {}};
  for (const cpu::Arithmetic arithmetic : cpu::kArithmetics) {
    const Index from = cpu::provider(isas, present, chosen.value(), arithmetic);
    const Peaks& peaks = peaks_of(isas[static_cast<std::size_t>(from)].name);
    cpu::select(result.peaks, arithmetic) = cpu::select(peaks, arithmetic);
  }
  return result;
}

}  // namespace sakedge::calls
