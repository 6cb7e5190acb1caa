#include "cpu/cpuid.h"

#if defined(__x86_64__) || defined(_M_X64)
#define SAKEDGE_X86 1
#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace sakedge::cpu {
namespace {

#ifdef SAKEDGE_X86

struct Registers {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

// All zero for a leaf that the CPU does not have.
Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Registers r;
#ifdef _MSC_VER
  int out[4];
  __cpuid(out, 0);
  if (static_cast<std::uint32_t>(out[0]) >= leaf) {
    __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
    r = {static_cast<std::uint32_t>(out[0]), static_cast<std::uint32_t>(out[1]),
         static_cast<std::uint32_t>(out[2]), static_cast<std::uint32_t>(out[3])};
  }
#else
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

// Which register states the operating system saves (XCR0). Only valid when OSXSAVE is set.
std::uint64_t saved_states() {
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
#endif
}

constexpr bool bit(std::uint32_t value, int index) { return (value >> index & 1u) != 0; }

#endif

}  // namespace

Features detect_features() {
  Features found = 0;
#if defined(SAKEDGE_X86)
  const Registers leaf1 = cpuid(1, 0);
  if (!bit(leaf1.c, 27)) {  // OSXSAVE
    return 0;
  }
  const std::uint64_t saved = saved_states();
  const auto saves = [saved](std::uint64_t states) { return (saved & states) == states; };
  const bool ymm = saves(0x6);        // XMM, YMM
  const bool zmm = saves(0xe6);       // and opmask, upper ZMM, ZMM16-31
  const bool tiles = saves(0x60000);  // XTILECFG, XTILEDATA
  const Registers leaf7 = cpuid(7, 0);
  const Registers leaf7_1 = cpuid(7, 1);
  const auto add = [&found](bool present, Features feature) { found |= present ? feature : 0u; };
  const bool avx2 = ymm && bit(leaf7.b, 5) && bit(leaf1.c, 12) && bit(leaf1.c, 29);
  const bool avx512 =
      avx2 && zmm && bit(leaf7.b, 16) && bit(leaf7.b, 17) && bit(leaf7.b, 30) && bit(leaf7.b, 31);
  add(avx2, kAvx2);
  add(avx512, kAvx512);
  add(avx512 && bit(leaf7.c, 11), kAvx512Vnni);
  add(avx512 && bit(leaf7_1.a, 5), kAvx512Bf16);
  add(avx2 && bit(leaf7_1.a, 4), kAvxVnni);
  add(avx512 && tiles && bit(leaf7.d, 24) && bit(leaf7.d, 25), kAmxInt8);
  add(avx512 && tiles && bit(leaf7.d, 24) && bit(leaf7.d, 22), kAmxBf16);
#elif defined(__aarch64__) || defined(_M_ARM64)
  found |= kNeon;  // part of the architecture
#ifdef __linux__
  const unsigned long caps = getauxval(AT_HWCAP);
  const unsigned long caps2 = getauxval(AT_HWCAP2);
  found |= (caps & HWCAP_ASIMDDP) != 0 ? kNeonDot : 0u;
  found |= (caps2 & HWCAP2_I8MM) != 0 ? kNeonI8mm : 0u;
  found |= (caps2 & HWCAP2_BF16) != 0 ? kNeonBf16 : 0u;
#endif
#endif
  return found;
}

const char* feature_name(Features bit) {
  switch (bit) {
    case kAvx2:
      return "AVX2 with FMA and F16C";
    case kAvx512:
      return "AVX-512 F, BW, DQ and VL";
    case kAvx512Vnni:
      return "AVX512-VNNI";
    case kAvx512Bf16:
      return "AVX512-BF16";
    case kAvxVnni:
      return "AVX-VNNI";
    case kAmxInt8:
      return "AMX-INT8";
    case kAmxBf16:
      return "AMX-BF16";
    case kNeon:
      return "Advanced SIMD";
    case kNeonDot:
      return "Arm dot product";
    case kNeonI8mm:
      return "Arm int8 matrix multiply";
    case kNeonBf16:
      return "Arm bfloat16";
    default:
      return nullptr;
  }
}

}  // namespace sakedge::cpu
