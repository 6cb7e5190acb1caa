#pragma once

#include <cstddef>

#include "calls/array.h"
#include "core/aligned.h"

// Guarded memory, which detects a kernel's out-of-bounds accesses without a sanitizer: the guards
// are NaN, which spoils results that read them, and are checked to be unchanged.
namespace sakedge::calls {

// Either throws std::bad_alloc for more than kMostBytes.

// A matrix whose rows are a few floats apart and begin at every alignment.
class Rows {
 public:
  // A copy of a dense [rows, columns], or NaN.
  Rows(Index rows, Index columns, const float* dense = nullptr);

  float* data() { return cells_.data() + kGap; }
  const float* data() const { return cells_.data() + kGap; }
  Index stride() const { return columns_ + kGap; }

  std::vector<float> dense() const;
  bool gaps_intact() const;

 private:
  static constexpr Index kGap = 3;  // odd, so that rows begin at different alignments

  Index rows_, columns_;
  std::vector<float> cells_;
};

// Bytes at a multiple of kAlignment, initialised to all ones (NaN), with a guard behind them.
class Block {
 public:
  explicit Block(Index size);

  std::byte* data() const { return bytes_.data(); }
  float* floats() const { return reinterpret_cast<float*>(bytes_.data()); }
  Index size() const { return size_; }
  bool guard_intact() const;

  // Each byte as a float.
  Array array() const;

 private:
  static constexpr Index kGuard = 64;

  Index size_;
  AlignedBytes bytes_;
};

}  // namespace sakedge::calls
