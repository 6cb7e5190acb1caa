#include <algorithm>
#include <cmath>

#include "calls/kinds.h"
#include "calls/memory.h"
#include "cpu/scratch.h"

namespace sakedge::calls {
namespace {

using cpu::PackedKernels;

bool is_matrix(const Array& array) { return array.shape.size() == 2; }

// [k, n]
bool is_weight(const Array& array) { return is_matrix(array) && array.shape[0] <= kMostInputs; }

bool are_sizes(const Array& array) {
  return std::all_of(array.values.begin(), array.values.end(), [](float size) {
    return size >= 0.0f && size <= static_cast<float>(kMostElements) && size == std::trunc(size);
  });
}

Rows strided(const Array& matrix) {
  return {matrix.shape[0], matrix.shape[1], matrix.values.data()};
}

Block packed(const PackedKernels& kernels, const Array& weight, const float* scales = nullptr) {
  const Index k = weight.shape[0];
  const Index n = weight.shape[1];
  const Rows source = strided(weight);
  Block result(kernels.packed_size(k, n));
  kernels.pack({k, n, source.data(), source.stride(), 1, result.data(), scales});
  return result;
}

Block prepared(const PackedKernels& kernels, const Array& x) {
  const Rows source = strided(x);
  Block result(x.shape[0] * kernels.row_size(x.shape[1]));
  kernels.prepare({x.shape[0], x.shape[1], source.data(), source.stride(), result.data()});
  return result;
}

Arrays one(Index value) { return {{{1}, {static_cast<float>(value)}}}; }

Index size_of(const Array& array, std::size_t i) { return static_cast<Index>(array.values[i]); }

}  // namespace

Result packed_size(const PackedKernels& kernels, const Arrays& in) {
  if (in.size() != 1 || !has_shape(in[0], {2}) || !are_sizes(in[0])) {
    return wrong_inputs("sizes (k, n)");
  }
  return one(kernels.packed_size(size_of(in[0], 0), size_of(in[0], 1)));
}

Result pack(const PackedKernels& kernels, const Arrays& in) {
  if (in.size() != 2 || !is_weight(in[0])) {
    return wrong_inputs("weight [k, n], its transpose [n, k] or none");
  }
  if (is_none(in[1])) {
    const Block result = packed(kernels, in[0]);
    return checked(result.guard_intact(), {result.array()});
  }
  const Index k = in[0].shape[0];
  const Index n = in[0].shape[1];
  if (!has_shape(in[1], {n, k})) {
    return wrong_inputs("the transpose of weight");
  }
  const Rows source = strided(in[1]);
  const Block result(kernels.packed_size(k, n));
  kernels.pack({k, n, source.data(), 1, source.stride(), result.data(), nullptr});
  return checked(result.guard_intact(), {result.array()});
}

Result row_size(const PackedKernels& kernels, const Arrays& in) {
  if (in.size() != 1 || !has_shape(in[0], {1}) || !are_sizes(in[0])) {
    return wrong_inputs("size (k)");
  }
  return one(kernels.row_size(size_of(in[0], 0)));
}

Result prepare(const PackedKernels& kernels, const Arrays& in) {
  if (in.size() != 1 || !is_matrix(in[0])) {
    return wrong_inputs("x [m, k]");
  }
  const Block result = prepared(kernels, in[0]);
  return checked(result.guard_intact(), {result.array()});
}

Result linear(const PackedKernels& kernels, const Arrays& in) {
  if ((in.size() != 4 && in.size() != 5) || !is_matrix(in[0]) || !is_weight(in[1])) {
    return wrong_inputs("x [m, k], weight [k, n], bias or none, y or none, maybe scales");
  }
  const Index m = in[0].shape[0];
  const Index k = in[0].shape[1];
  const Index n = in[1].shape[1];
  const bool accumulate = !is_none(in[3]);
  if (in[1].shape[0] != k || (!is_none(in[2]) && !has_shape(in[2], {n})) ||
      (accumulate && !has_shape(in[3], {m, n})) || (in.size() == 5 && !has_shape(in[4], {n}))) {
    return wrong_inputs("x [m, k], weight [k, n], bias [n], y [m, n], scales [n]");
  }
  if (!is_bounded({m, k, n})) {
    return too_large();
  }
  Rows y(m, n, data_or_null(in[3]));
  const Block weight = packed(kernels, in[1], in.size() == 5 ? in[4].values.data() : nullptr);
  kernels.linear({m, n, k, prepared(kernels, in[0]).data(), weight.data(), data_or_null(in[2]),
                  accumulate, y.data(), y.stride()});
  return checked(y.gaps_intact(), {{{m, n}, y.dense()}});
}

Result adapter(const PackedKernels& kernels, const Arrays& in) {
  const char* expected = "x, r [m, c], down [c, h], its bias [h], up [h, c], its bias [c]";
  if (in.size() != 6 || !is_matrix(in[0]) || !is_weight(in[2]) || !is_weight(in[4])) {
    return wrong_inputs(expected);
  }
  const Index m = in[0].shape[0];
  const Index c = in[0].shape[1];
  const Index h = in[2].shape[1];
  if (!has_shape(in[1], {m, c}) || !has_shape(in[2], {c, h}) || !has_shape(in[3], {h}) ||
      !has_shape(in[4], {h, c}) || !has_shape(in[5], {c})) {
    return wrong_inputs(expected);
  }
  if (!is_bounded({2, m, c, h})) {
    return too_large();
  }
  const Rows x = strided(in[0]);
  Rows r = strided(in[1]);
  const Block scratch(cpu::adapter_scratch(kernels, m, c, h));
  kernels.adapter({m, c, h, x.data(), x.stride(), r.data(), r.stride(),
                   packed(kernels, in[2]).data(), in[3].values.data(),
                   packed(kernels, in[4]).data(), in[5].values.data(), scratch.data()});
  return checked(r.gaps_intact() && scratch.guard_intact(), {{{m, c}, r.dense()}});
}

Result router(const PackedKernels& kernels, const Arrays& in) {
  const char* expected = "x [m, c], weight [c, h], bias, gamma, beta [h], epsilon [1]";
  if (in.size() != 6 || !is_matrix(in[0]) || !is_weight(in[1]) || in[1].shape[1] < 1) {
    return wrong_inputs(expected);
  }
  const Index m = in[0].shape[0];
  const Index c = in[0].shape[1];
  const Index h = in[1].shape[1];
  if (!has_shape(in[1], {c, h}) || !has_shape(in[2], {h}) || !has_shape(in[3], {h}) ||
      !has_shape(in[4], {h}) || !has_shape(in[5], {1})) {
    return wrong_inputs(expected);
  }
  if (!is_bounded({m, c, h})) {
    return too_large();
  }
  const Block scratch(m * h * static_cast<Index>(sizeof(float)));
  Rows sum(1, h);
  kernels.router({m, c, h, prepared(kernels, in[0]).data(), packed(kernels, in[1]).data(),
                  in[2].values.data(), in[3].values.data(), in[4].values.data(), in[5].values[0],
                  scratch.floats(), sum.data()});
  return checked(sum.gaps_intact() && scratch.guard_intact(), {{{h}, sum.dense()}});
}

Result peak(Peak kernel, const Arrays& in) {
  if (in.size() != 1 || !has_shape(in[0], {1}) || !are_sizes(in[0]) || size_of(in[0], 0) < 1) {
    return wrong_inputs("rounds [1], from 1 to 2^24");
  }
  const Block words(kPeakBytes);
  std::fill_n(words.data(), words.size(), std::byte{0});
  float out = 0.0f;
  return one(kernel(size_of(in[0], 0), words.data(), &out));
}

}  // namespace sakedge::calls
