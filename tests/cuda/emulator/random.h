// Random numbers of a schedule: the same on every machine, and cheap.
#pragma once

#include <cstdint>

namespace sakedge::emulator {

// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed = 0) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>((next() >> 32) * n >> 32); }

 private:
  uint64_t state_;
};

}  // namespace sakedge::emulator
