#pragma once

#include <cstdint>

namespace sakedge::cpu {

// A set of CPU features, as bits. A feature is present when the CPU has it *and* the operating
// system saves the registers it needs.
using Features = std::uint32_t;

enum Feature : Features {
  kAvx2 = 1u << 0,    // with FMA and F16C
  kAvx512 = 1u << 1,  // F, BW, DQ and VL
  kAvx512Vnni = 1u << 2,
  kAvx512Bf16 = 1u << 3,
  kAvxVnni = 1u << 4,  // the VEX encoding; exists without AVX-512
  kAmxInt8 = 1u << 5,  // code that uses it must first request the tile state from Linux
  kAmxBf16 = 1u << 6,
  kNeon = 1u << 7,
  kNeonDot = 1u << 8,
  kNeonI8mm = 1u << 9,
  kNeonBf16 = 1u << 10,
};

// Queries the CPU. Slow in a virtual machine (cpuid traps, 30 us a call): callers keep the result.
Features detect_features();

// Name of one feature, for messages; null for an unused bit.
const char* feature_name(Features bit);

}  // namespace sakedge::cpu
