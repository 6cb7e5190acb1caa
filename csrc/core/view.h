#pragma once

#include "core/index.h"

namespace sakedge {

// A row-major matrix that it does not own. Rows are contiguous and `stride` elements apart.
template <typename T>
struct View {
  T* data = nullptr;
  Index rows = 0;
  Index columns = 0;
  Index stride = 0;

  T* row(Index i) const { return data + i * stride; }
};

// A dense matrix: rows follow each other without a gap.
template <typename T>
View<T> dense(T* data, Index rows, Index columns) {
  return {data, rows, columns, columns};
}

}  // namespace sakedge
