#include "emulator/ptx.h"

#include <cfenv>
#include <cstring>

#include "emulator/block.h"

namespace sakedge::emulator {
namespace {

// Whether [p, p + bytes) is neither shared nor global: the thread's own, or its arguments.
bool is_own(const void* p, unsigned bytes) {
  const auto at = reinterpret_cast<uintptr_t>(p);
  const auto within = [&](const void* start, size_t size) {
    const auto first = reinterpret_cast<uintptr_t>(start);
    return at >= first && at + bytes <= first + size;
  };
  return within(block.args, block.entry->args_bytes) ||
         within(block.stacks[static_cast<size_t>(here.thread)], Stacks::kBytes);
}

bool is_shared(const void* p) {
  const auto at = reinterpret_cast<uintptr_t>(p);
  return at - reinterpret_cast<uintptr_t>(here.shared) < block.shared_bytes;
}

float directed(int mode, float a, float b, float c) {
  const volatile float x = a, y = b, z = c;
  std::fesetround(mode);
  const volatile float d = std::fma(x, y, z);
  std::fesetround(FE_TONEAREST);
  return d;
}

}  // namespace

void read_generic(const void* p, unsigned bytes) {
  if (is_own(p, bytes)) return;
  is_shared(p) ? read_shared(p, bytes) : read_global(p, bytes);
}
void write_generic(const void* p, unsigned bytes, const void* value) {
  if (is_own(p, bytes)) return;
  is_shared(p) ? write_shared(p, bytes) : write_global(p, bytes, value);
}
void poison(void* p, unsigned bytes) { std::memset(p, 0xff, bytes); }

uint32_t lop3(uint32_t a, uint32_t b, uint32_t c, uint32_t table) {
  uint32_t d = 0;
  for (uint32_t i = 0; i < 8; ++i)
    if ((table >> i & 1) != 0)
      d |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
  return d;
}

uint64_t bfe_u64(uint64_t a, uint32_t at, uint32_t bits) {
  at &= 0xff;
  bits &= 0xff;
  const uint64_t shifted = at < 64 ? a >> at : 0;
  return bits < 64 ? shifted & ((1ull << bits) - 1) : shifted;
}
uint32_t bfe_u32(uint32_t a, uint32_t at, uint32_t bits) {
  return static_cast<uint32_t>(bfe_u64(a, at, bits));
}
int64_t bfe_s64(int64_t a, uint32_t at, uint32_t bits) {
  at &= 0xff;
  bits &= 0xff;
  if (bits == 0) return 0;
  const int64_t shifted = a >> (at < 63 ? at : 63);
  return bits < 64
             ? static_cast<int64_t>(static_cast<uint64_t>(shifted) << (64 - bits)) >> (64 - bits)
             : shifted;
}
int32_t bfe_s32(int32_t a, uint32_t at, uint32_t bits) {
  return static_cast<int32_t>(bfe_s64(a, at, bits));
}

uint64_t bfi_b64(uint64_t a, uint64_t b, uint32_t at, uint32_t bits) {
  at &= 0xff;
  bits &= 0xff;
  if (at >= 64) return b;
  const uint64_t mask = (bits < 64 ? (1ull << bits) - 1 : ~0ull) << at;
  return (b & ~mask) | (a << at & mask);
}
uint32_t bfi_b32(uint32_t a, uint32_t b, uint32_t at, uint32_t bits) {
  return static_cast<uint32_t>(bfi_b64(a, b, at, bits));
}

uint32_t prmt(uint32_t a, uint32_t b, uint32_t selection) {
  const uint64_t both = static_cast<uint64_t>(b) << 32 | a;
  uint32_t d = 0;
  for (int i = 0; i < 4; ++i) {
    const uint32_t select = selection >> 4 * i & 15;
    uint32_t byte = static_cast<uint32_t>(both >> 8 * (select & 7)) & 0xff;
    if ((select & 8) != 0) byte = (byte & 0x80) != 0 ? 0xff : 0;  // its sign
    d |= byte << 8 * i;
  }
  return d;
}

uint32_t brev(uint32_t a) {
  uint32_t d = 0;
  for (int i = 0; i < 32; ++i) d |= (a >> i & 1) << (31 - i);
  return d;
}

int32_t dp4a(uint32_t a, uint32_t b, int32_t c) {
  for (int i = 0; i < 4; ++i)
    c += static_cast<int8_t>(a >> 8 * i) * static_cast<int8_t>(b >> 8 * i);
  return c;
}

float fma_rz(float a, float b, float c) { return directed(FE_TOWARDZERO, a, b, c); }
float fma_rm(float a, float b, float c) { return directed(FE_DOWNWARD, a, b, c); }
float fma_rp(float a, float b, float c) { return directed(FE_UPWARD, a, b, c); }

}  // namespace sakedge::emulator
