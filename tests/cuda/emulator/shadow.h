// Accesses to every byte of a piece of memory: by words, as most are, and by bytes where not.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include "emulator/accesses.h"

namespace sakedge::emulator {

enum class Access : uint8_t { kRead, kWrite, kCopyBegins, kCopyLands };

struct Race {
  const char* what = nullptr;  // null: none
  size_t at = 0;
  int other = -1;  // thread; -1: several
};

class Shadow {
 public:
  explicit Shadow(size_t bytes = 0)
      : size_((bytes + kWord - 1) / kWord), words_(zeros(size_)), bytes_(nullptr, std::free) {}

  // Notes an access to [at, at + n), or what it races with. `same`: see Accesses::write_race.
  Race access(size_t at, size_t n, Access access, const Thread& by, bool same = false) {
    for (size_t word = at / kWord; word * kWord < at + n; ++word) {
      const size_t first = at > word * kWord ? at - word * kWord : 0;
      const size_t last = at + n < (word + 1) * kWord ? at + n - word * kWord : kWord;
      Accesses& whole = words_.get()[word];
      const bool all = last - first == kWord;
      if (all && !whole.split) {
        if (const Race race = one(whole, word * kWord, access, by, same); race.what) return race;
        continue;
      }
      Accesses* const parts = split(word);
      for (size_t i = first; i < last; ++i)
        if (const Race race = one(parts[i], word * kWord + i, access, by, same); race.what)
          return race;
      if (all && access != Access::kRead) whole = parts[0];  // not split
    }
    return {};
  }

 private:
  static constexpr size_t kWord = 4;
  using Array = std::unique_ptr<Accesses, decltype(&std::free)>;
  static Array zeros(size_t n) {
    void* const data = std::calloc(n == 0 ? 1 : n, sizeof(Accesses));
    if (data == nullptr) throw std::bad_alloc();
    return {static_cast<Accesses*>(data), std::free};
  }

  Accesses* split(size_t word) {
    if (bytes_ == nullptr) bytes_ = zeros(size_ * kWord);
    Accesses* const parts = bytes_.get() + word * kWord;
    Accesses& whole = words_.get()[word];
    if (!whole.split) {
      for (size_t i = 0; i < kWord; ++i) parts[i] = whole;
      whole.split = true;
    }
    return parts;
  }

  static Race one(Accesses& memory, size_t at, Access access, const Thread& by, bool same) {
    const bool write = access != Access::kRead;
    if (memory.in_flight && access != Access::kCopyLands)
      return {write ? "write over a copy in flight" : "read of a copy in flight", at, -1};
    const char* const what = write ? memory.write_race(by, same) : memory.read_race(by);
    if (what != nullptr) return {what, at, memory.other(write, by)};
    if (write) {
      memory.wrote(by);
      memory.in_flight = access == Access::kCopyBegins;
    } else {
      memory.read(by);
    }
    return {};
  }

  size_t size_;
  Array words_;
  Array bytes_;
};

}  // namespace sakedge::emulator
