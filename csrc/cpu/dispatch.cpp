#include "cpu/dispatch.h"

#include <cstdlib>

namespace sakedge::cpu {

extern const KernelTable kGenericTable;

namespace {

// Best first. Features decide, not a straight line: AVX-VNNI exists without AVX-512.
constexpr Isa kIsas[] = {
    {"generic", &kGenericTable, 0, only(Precision::kF32)},
};

Expected<Active> activate() {
  const Features present = detect_features();
  const char* forced = std::getenv("SAKEDGE_ISA");
  const Expected<Index> chosen = choose(kIsas, present, forced == nullptr ? "" : forced);
  if (!chosen.ok()) {
    return chosen.status();
  }
  Active result{kIsas[chosen.value()].name, compose(kIsas, present, chosen.value()), {}};
  for (std::size_t i = 0; i < result.providers.size(); ++i) {
    const Isa& isa = kIsas[provider(kIsas, present, chosen.value(), kPrecisions[i])];
    result.providers[i] = {isa.name, (isa.native & only(kPrecisions[i])) != 0};
  }
  return result;
}

}  // namespace

std::span<const Isa> isas() { return kIsas; }

const Expected<Active>& active() {
  static const Expected<Active> kActive = activate();
  return kActive;
}

}  // namespace sakedge::cpu
