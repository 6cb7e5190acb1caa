#include "calls/memory.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

namespace sakedge::calls {
namespace {

// Sizes are bounded by kMostElements, so that no product of two overflows.
std::size_t bounded(Index bytes) {
  if (bytes < 0 || bytes > kMostBytes) {
    throw std::bad_alloc();
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace

Rows::Rows(Index rows, Index columns, const float* dense)
    : rows_(rows),
      columns_(columns),
      cells_(bounded((kGap + rows * (columns + kGap)) * static_cast<Index>(sizeof(float))) /
                 sizeof(float),
             std::numeric_limits<float>::quiet_NaN()) {
  for (Index row = 0; dense != nullptr && row < rows; ++row) {
    std::copy_n(dense + row * columns, columns, data() + row * stride());
  }
}

std::vector<float> Rows::dense() const {
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(rows_ * columns_));
  for (Index row = 0; row < rows_; ++row) {
    const float* first = data() + row * stride();
    result.insert(result.end(), first, first + columns_);
  }
  return result;
}

bool Rows::gaps_intact() const {
  for (Index row = 0; row <= rows_; ++row) {
    const float* gap = cells_.data() + row * stride();
    if (!std::all_of(gap, gap + kGap, [](float x) { return std::isnan(x); })) {
      return false;
    }
  }
  return true;
}

namespace {
constexpr std::byte kOnes{0xff};
}

Block::Block(Index size) : size_(size), bytes_(static_cast<Index>(bounded(size)) + kGuard) {
  std::fill_n(bytes_.data(), size + kGuard, kOnes);
}

bool Block::guard_intact() const {
  const std::byte* guard = bytes_.data() + size_;
  return std::all_of(guard, guard + kGuard, [](std::byte b) { return b == kOnes; });
}

Array Block::array() const {
  Array result{{size_}, {}};
  result.values.reserve(static_cast<std::size_t>(size_));
  for (Index i = 0; i < size_; ++i) {
    result.values.push_back(static_cast<float>(bytes_.data()[i]));
  }
  return result;
}

}  // namespace sakedge::calls
