#include "cpu/dispatch.h"

#include <cstdlib>

namespace sakedge::cpu {

extern const KernelTable kGenericTable;
#if defined(__x86_64__) || defined(_M_X64)
extern const KernelTable kAvx2Table;
extern const KernelTable kAvxVnniTable;
extern const KernelTable kAvx512Table;
extern const KernelTable kAvx512VnniTable;
extern const KernelTable kAvx512Bf16Table;
#elif defined(__aarch64__)
extern const KernelTable kNeonTable;
extern const KernelTable kNeonDotTable;
extern const KernelTable kNeonI8mmTable;
extern const KernelTable kNeonBf16Table;
#endif

namespace {

// Best first. Features decide, not a straight line: AVX-VNNI exists without AVX-512.
constexpr Isa kIsas[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {"avx512_bf16", &kAvx512Bf16Table, kAvx512 | kAvx512Bf16, only(Arithmetic::kBf16)},
    {"avx512_vnni", &kAvx512VnniTable, kAvx512 | kAvx512Vnni, only(Arithmetic::kS8)},
    {"avx512", &kAvx512Table, kAvx512, only(Arithmetic::kF32)},
    {"avx_vnni", &kAvxVnniTable, kAvx2 | kAvxVnni, only(Arithmetic::kS8)},
    {"avx2", &kAvx2Table, kAvx2, only(Arithmetic::kF32)},
#elif defined(__aarch64__)
    {"neon_bf16", &kNeonBf16Table, kNeon | kNeonBf16, only(Arithmetic::kBf16)},
    {"neon_i8mm", &kNeonI8mmTable, kNeon | kNeonI8mm, only(Arithmetic::kS8)},
    {"neon_dot", &kNeonDotTable, kNeon | kNeonDot, only(Arithmetic::kS8)},
    {"neon", &kNeonTable, kNeon, only(Arithmetic::kF32)},
#endif
    {"generic", &kGenericTable, 0, only(Arithmetic::kF32)},
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
    const Isa& isa = kIsas[provider(kIsas, present, chosen.value(), kArithmetics[i])];
    result.providers[i] = {isa.name, (isa.native & only(kArithmetics[i])) != 0};
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
