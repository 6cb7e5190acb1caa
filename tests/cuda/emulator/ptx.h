// Instructions of PTX that C++ has no operator for, as translated kernels call them. Lean: a
// translated kernel includes this and little else.
#pragma once

#include <cstdint>
#include <type_traits>

#include "emulator/machine.h"
#include "emulator/memory.h"
#include "emulator/numbers.h"

namespace sakedge::emulator {

template <class T, int kCount>
struct alignas(kCount * sizeof(T)) Vector {
  T x[kCount];
};

// The thread's view of a generic address: fails unless it may read (write) there.
void read_generic(const void* p, unsigned bytes);
void write_generic(const void* p, unsigned bytes, const void* value);
void poison(void* p, unsigned bytes);

inline void check_all_lanes(uint32_t mask) {
  if (mask != ~0u) fail("a warp operation of lanes %08x; all must take part", mask);
}

template <class T>
inline T load_global(uint64_t address) {
  const T* const p = reinterpret_cast<const T*>(address);
  read_global(p, sizeof(T));
  return *p;
}
template <class T>
inline void store_global(uint64_t address, T value) {
  T* const p = reinterpret_cast<T*>(address);
  write_global(p, sizeof(T), &value);
  *p = value;
}
template <class T>
inline T load_shared(uint64_t offset) {
  const T* const p = reinterpret_cast<const T*>(here.shared + offset);
  read_shared(p, sizeof(T));
  return *p;
}
template <class T>
inline void store_shared(uint64_t offset, T value) {
  T* const p = reinterpret_cast<T*>(here.shared + offset);
  write_shared(p, sizeof(T));
  *p = value;
}
template <class T>
inline T load_generic(uint64_t address) {
  const T* const p = reinterpret_cast<const T*>(address);
  read_generic(p, sizeof(T));
  return *p;
}
template <class T>
inline void store_generic(uint64_t address, T value) {
  T* const p = reinterpret_cast<T*>(address);
  write_generic(p, sizeof(T), &value);
  *p = value;
}

inline uint32_t high_u32(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(static_cast<uint64_t>(a) * b >> 32);
}
inline int32_t high_s32(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<int64_t>(a) * b >> 32);
}
inline uint64_t high_u64(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline int64_t high_s64(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<__int128>(a) * b >> 64);
}

// Division by zero is unspecified; all ones is what devices give.
template <class T>
inline T div_integers(T a, T b) {
  if (b == 0) return static_cast<T>(-1);
  if (std::is_signed_v<T> && b == static_cast<T>(-1))
    return static_cast<T>(0 - static_cast<uint64_t>(a));
  return static_cast<T>(a / b);
}
template <class T>
inline T rem_integers(T a, T b) {
  if (b == 0) return a;
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
  return static_cast<T>(a % b);
}

uint32_t lop3(uint32_t a, uint32_t b, uint32_t c, uint32_t table);
uint32_t bfe_u32(uint32_t a, uint32_t at, uint32_t bits);
int32_t bfe_s32(int32_t a, uint32_t at, uint32_t bits);
uint64_t bfe_u64(uint64_t a, uint32_t at, uint32_t bits);
int64_t bfe_s64(int64_t a, uint32_t at, uint32_t bits);
uint32_t bfi_b32(uint32_t a, uint32_t b, uint32_t at, uint32_t bits);
uint64_t bfi_b64(uint64_t a, uint64_t b, uint32_t at, uint32_t bits);
uint32_t prmt(uint32_t a, uint32_t b, uint32_t selection);
inline uint32_t popc_b32(uint32_t a) { return static_cast<uint32_t>(__builtin_popcount(a)); }
inline uint32_t popc_b64(uint64_t a) { return static_cast<uint32_t>(__builtin_popcountll(a)); }
inline uint32_t clz_b32(uint32_t a) {
  return a == 0 ? 32 : static_cast<uint32_t>(__builtin_clz(a));
}
inline uint32_t clz_b64(uint64_t a) {
  return a == 0 ? 64 : static_cast<uint32_t>(__builtin_clzll(a));
}
uint32_t brev(uint32_t a);
int32_t dp4a(uint32_t a, uint32_t b, int32_t c);

// To the nearest of the integer type's values; NaN is 0.
template <class To, class From>
inline To saturate(From value) {
  constexpr To kMost =
      static_cast<To>(std::is_signed_v<To> ? (1ull << (8 * sizeof(To) - 1)) - 1 : ~0ull);
  constexpr To kLeast = static_cast<To>(std::is_signed_v<To> ? -kMost - 1 : 0);
  if constexpr (std::is_floating_point_v<From>) {
    if (value != value) return 0;
    // kMost may round up to what is past it.
    if (value >= static_cast<From>(kMost)) return kMost;
    if (value <= static_cast<From>(kLeast)) return kLeast;
  } else {
    if (value > 0 && static_cast<uint64_t>(value) > static_cast<uint64_t>(kMost)) return kMost;
    if (value < 0 &&
        (!std::is_signed_v<To> || static_cast<int64_t>(value) < static_cast<int64_t>(kLeast)))
      return kLeast;
  }
  return static_cast<To>(value);
}
template <class T>
inline T saturated(T value) {
  return value > 0 ? value < 1 ? value : T(1) : T(0);
}

// NaN gives way to the other unless `keep`; -0 is less than 0.
template <class T>
inline T min_floats(T a, T b, bool keep) {
  if (a != a || b != b) return keep || (a != a && b != b) ? static_cast<T>(NAN) : a != a ? b : a;
  return a < b || (a == b && std::signbit(a)) ? a : b;
}
template <class T>
inline T max_floats(T a, T b, bool keep) {
  return -min_floats(-a, -b, keep);
}

// Rounded towards zero, down and up.
float fma_rz(float a, float b, float c);
float fma_rm(float a, float b, float c);
float fma_rp(float a, float b, float c);

inline float approximate_ex2(float x) { return approximate_exp2(x); }
inline float approximate_lg2(float x) { return approximate(std::log2(static_cast<double>(x)), x); }
inline float approximate_rcp(float x) { return approximate(1.0 / x, x); }
inline float approximate_sqrt(float x) { return approximate(std::sqrt(static_cast<double>(x)), x); }

}  // namespace sakedge::emulator
