// Kernels(isa): every kernel of kernels.def on NumPy arrays, for the tests. Arguments keep the
// names of kernel_table.h; results are new arrays.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "core/aligned.h"
#include "decoder/axis.h"
#include "decoder/packed.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

using cpu::KernelTable;

struct Kernels {
  KernelTable table;
};

Kernels make(const std::string& isa) {
  const cpu::Features present = cpu::detect_features();
  const Expected<Index> chosen = cpu::choose(cpu::isas(), present, isa);
  if (!chosen.ok()) {
    raise_unless_ok(chosen.status());
  }
  return {cpu::compose(cpu::isas(), present, chosen.value())};
}

std::vector<std::string> names() {
  std::vector<std::string> result = {
#define KERNEL(name, result, parameters) #name,
#include "cpu/kernels.def"
  };
  for (const cpu::Precision precision : cpu::kPrecisions) {
#define PACKED(name, result_type, parameters) \
  result.push_back(std::string(#name "_") + cpu::name_of(precision));
#include "cpu/kernels.def"
  }
  return result;
}

Floats zeros(const std::vector<Index>& shape) {
  Floats array(shape);
  std::fill_n(array.mutable_data(), array.size(), 0.0f);
  return array;
}

// The matrix kernels, each for the arithmetic `P`.
using Arithmetic = cpu::PackedKernels KernelTable::*;

AlignedBytes packed(const cpu::PackedKernels& kernels, const Floats& weight) {
  const View<const float> w = matrix(weight);
  AlignedBytes bytes(kernels.packed_size(w.rows, w.columns));
  kernels.pack({w.rows, w.columns, w.data, w.stride, 1, bytes.data()});
  return bytes;
}

AlignedBytes prepared(const cpu::PackedKernels& kernels, const Floats& x) {
  const View<const float> in = matrix(x);
  AlignedBytes rows(in.rows * kernels.row_size(in.columns));
  kernels.prepare({in.rows, in.columns, in.data, in.stride, rows.data()});
  return rows;
}

py::bytes to_bytes(const AlignedBytes& bytes, Index size) {
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size)};
}

template <Arithmetic P>
Index call_packed_size(const Kernels& k, Index rows, Index columns) {
  return (k.table.*P).packed_size(rows, columns);
}

template <Arithmetic P>
py::bytes call_pack(const Kernels& k, const Floats& weight) {
  const View<const float> w = matrix(weight);
  return to_bytes(packed(k.table.*P, weight), (k.table.*P).packed_size(w.rows, w.columns));
}

template <Arithmetic P>
Index call_row_size(const Kernels& k, Index columns) {
  return (k.table.*P).row_size(columns);
}

template <Arithmetic P>
py::bytes call_prepare(const Kernels& k, const Floats& x) {
  const View<const float> in = matrix(x);
  return to_bytes(prepared(k.table.*P, x), in.rows * (k.table.*P).row_size(in.columns));
}

// `y` is what to accumulate on, if anything.
template <Arithmetic P>
Floats call_linear(const Kernels& k, const Floats& x, const Floats& weight,
                   const std::optional<Floats>& bias, const std::optional<Floats>& y) {
  const cpu::PackedKernels& kernels = k.table.*P;
  const View<const float> in = matrix(x);
  const View<const float> w = matrix(weight);
  Floats out = zeros({in.rows, w.columns});
  require(in.columns == w.rows, "linear: x and weight do not fit");
  require(!bias || vector(*bias).size() == static_cast<std::size_t>(w.columns), "linear: bias");
  require(!y || (matrix(*y).rows == in.rows && matrix(*y).columns == w.columns), "linear: y");
  if (y) {
    std::copy_n(y->data(), y->size(), out.mutable_data());
  }
  kernels.linear({in.rows, w.columns, w.rows, prepared(kernels, x).data(),
                  packed(kernels, weight).data(), bias ? bias->data() : nullptr, y.has_value(),
                  out.mutable_data(), w.columns});
  return out;
}

template <Arithmetic P>
Floats call_adapter(const Kernels& k, const Floats& x, const Floats& r, const FloatPair& down,
                    const FloatPair& up) {
  const cpu::PackedKernels& kernels = k.table.*P;
  const View<const float> in = matrix(x);
  const LinearSource d = linear(down);
  const LinearSource u = linear(up);
  const Index hidden = d.weight.columns;
  require(matrix(r).rows == in.rows && matrix(r).columns == in.columns, "adapter: r");
  require(check(d, in.columns, 0, "").ok() && check(u, hidden, in.columns, "").ok(),
          "adapter: weights");
  Floats out = zeros({in.rows, in.columns});
  std::copy_n(r.data(), r.size(), out.mutable_data());
  const AlignedBytes scratch(
      in.rows * (kernels.row_size(in.columns) + kernels.row_size(hidden) + 4 * hidden));
  kernels.adapter({in.rows, in.columns, hidden, in.data, in.stride, out.mutable_data(), in.columns,
                   packed(kernels, down.first).data(), d.bias.data(),
                   packed(kernels, up.first).data(), u.bias.data(), scratch.data()});
  return out;
}

template <Arithmetic P>
Floats call_router(const Kernels& k, const Floats& x, const FloatPair& hidden,
                   const FloatPair& normed, float epsilon) {
  const cpu::PackedKernels& kernels = k.table.*P;
  const View<const float> in = matrix(x);
  const LinearSource h = linear(hidden);
  const NormSource n = norm(normed);
  require(check(h, in.columns, 0, "").ok() && check(n, h.weight.columns, "").ok(),
          "router: weights");
  Floats sum = zeros({h.weight.columns});
  const AlignedBuffer scratch(in.rows * h.weight.columns);
  kernels.router({in.rows, in.columns, h.weight.columns, prepared(kernels, x).data(),
                  packed(kernels, hidden.first).data(), h.bias.data(), n.gamma.data(),
                  n.beta.data(), epsilon, scratch.data(), sum.mutable_data()});
  return sum;
}

// Multiplications of `rounds` rounds. Without the interpreter's lock, so that threads can run it
// at the same time.
template <Arithmetic P>
Index call_peak(const Kernels& k, Index rounds) {
  require(rounds >= 1, "peak: rounds");
  const py::gil_scoped_release release;
  AlignedBytes words(16384);
  std::fill_n(words.data(), 16384, std::byte{0});
  float out = 0.0f;
  return (k.table.*P).peak({rounds, words.data(), &out});
}

Floats call_layer_norm_f32(const Kernels& k, const Floats& x, const FloatPair& affine,
                           float epsilon) {
  const View<const float> in = matrix(x);
  const NormSource n = norm(affine);
  require(check(n, in.columns, "").ok(), "layer_norm: affine part");
  Floats y = zeros({in.rows, in.columns});
  k.table.layer_norm_f32({in.rows, in.columns, in.data, in.stride, n.gamma.data(), n.beta.data(),
                          epsilon, y.mutable_data(), in.columns});
  return y;
}

Floats call_mix_f32(const Kernels& k, const std::vector<Floats>& inputs, const Floats& weights) {
  require(!inputs.empty() && vector(weights).size() == inputs.size(), "mix: weights");
  const View<const float> first = matrix(inputs.front());
  std::vector<const float*> pointers;
  for (const Floats& input : inputs) {
    require(matrix(input).rows == first.rows && matrix(input).columns == first.columns,
            "mix: inputs");
    pointers.push_back(input.data());
  }
  const std::vector<Index> strides(inputs.size(), first.columns);
  Floats y = zeros({first.rows, first.columns});
  k.table.mix_f32({first.rows, first.columns, static_cast<Index>(inputs.size()), pointers.data(),
                   strides.data(), weights.data(), y.mutable_data(), first.columns});
  return y;
}

Floats call_gelu_f32(const Kernels& k, const Floats& x) {
  Floats y = zeros({static_cast<Index>(vector(x).size())});
  std::copy_n(x.data(), x.size(), y.mutable_data());
  k.table.gelu_f32(y.size(), y.mutable_data());
  return y;
}

// taps [9, height * width, F] on a grid of `width`; all rows of the result, in two calls, so that a
// band that does not start at zero is exercised. `logits` is what to accumulate on, if anything.
Floats call_head_expand_f32(const Kernels& k, const Floats& taps, Index width,
                            std::pair<Index, Index> out_size, const Floats& bias,
                            const FloatPair& last, const std::optional<Floats>& logits) {
  require(taps.ndim() == 3 && taps.shape(0) == 9 && width > 0 && taps.shape(1) % width == 0,
          "head_expand: taps");
  const Index channels = taps.shape(2);
  const LinearSource l = linear(last);
  require(
      check(l, channels, 0, "").ok() && vector(bias).size() == static_cast<std::size_t>(channels),
      "head_expand: weights");
  const auto [height, out_width] = out_size;
  const std::vector<cpu::Tap> rows = expansion_taps(taps.shape(1) / width, height);
  const std::vector<cpu::Tap> columns = expansion_taps(width, out_width);
  const Index classes = l.weight.columns;
  Floats out = zeros({height * out_width, classes});
  if (logits) {
    require(logits->size() == out.size(), "head_expand: logits");
    std::copy_n(logits->data(), logits->size(), out.mutable_data());
  }
  std::vector<float> by_class;  // the kernel reads [classes, channels]
  for (Index j = 0; j < classes; ++j) {
    for (Index c = 0; c < channels; ++c) {
      by_class.push_back(l.weight.row(c)[j]);
    }
  }
  const AlignedBuffer scratch((3 * width + out_width) * channels);
  cpu::ExpandArgs args{channels,
                       classes,
                       width,
                       taps.data(),
                       channels,
                       taps.shape(1) * channels,
                       rows.data(),
                       columns.data(),
                       0,
                       height / 2,
                       out_width,
                       bias.data(),
                       by_class.data(),
                       channels,
                       l.bias.data(),
                       logits.has_value(),
                       out.mutable_data(),
                       scratch.data()};
  k.table.head_expand_f32(args);
  args.begin = args.end;
  args.end = height;
  k.table.head_expand_f32(args);
  return out;
}

// A decoder run over the whole window (height, width, top, left, scale_y, scale_x) of a map
// [height, width, classes] that spans `extent` input pixels.
using WindowArguments = std::tuple<Index, Index, double, double, double, double>;

template <typename Out, typename Call>
py::array_t<Out> sampled(const Floats& map, std::pair<Index, Index> extent,
                         const WindowArguments& window, const std::vector<Index>& shape,
                         const Call& call) {
  require(map.ndim() == 3, "decode: expected a map [height, width, classes]");
  const auto [height, width, top, left, scale_y, scale_x] = window;
  const std::vector<cpu::Tap> rows = window_taps(map.shape(0), extent.first, height, top, scale_y);
  const std::vector<cpu::Tap> columns =
      window_taps(map.shape(1), extent.second, width, left, scale_x);
  py::array_t<Out> out(shape);
  const AlignedBuffer scratch(3 * map.shape(1) * map.shape(2) + 5 * (width + 15));
  cpu::SampleArgs args{map.data(), map.shape(1), map.shape(2), rows.data(),   columns.data(),
                       0,          height / 2,   width,        scratch.data()};
  call(args, out.mutable_data());
  args.begin = args.end;
  args.end = height;
  call(args, out.mutable_data());
  return out;
}

template <typename Out, auto Kernel, Index Channels = 1>
py::array_t<Out> decoded(const Kernels& k, const Floats& map, std::pair<Index, Index> extent,
                         const WindowArguments& window) {
  std::vector<Index> shape = {std::get<0>(window), std::get<1>(window)};
  if (Channels > 1) {
    shape.push_back(Channels);
  }
  return sampled<Out>(map, extent, window, shape, k.table.*Kernel);
}

Floats call_upsample_f32(const Kernels& k, const Floats& map, std::pair<Index, Index> extent,
                         const WindowArguments& window) {
  const Index plane = std::get<0>(window) * std::get<1>(window);
  require(map.ndim() == 3, "upsample: expected a map [height, width, classes]");
  return sampled<float>(
      map, extent, window, {map.shape(2), std::get<0>(window), std::get<1>(window)},
      [&](const cpu::SampleArgs& args, float* out) { k.table.upsample_f32(args, plane, out); });
}

constexpr auto call_decode_labels_u8_f32 =
    &decoded<std::uint8_t, &KernelTable::decode_labels_u8_f32>;
constexpr auto call_decode_labels_u16_f32 =
    &decoded<std::uint16_t, &KernelTable::decode_labels_u16_f32>;
constexpr auto call_decode_probability_f32 = &decoded<float, &KernelTable::decode_probability_f32>;
constexpr auto call_decode_two_class_f32 = &decoded<float, &KernelTable::decode_two_class_f32>;
constexpr auto call_decode_normals_f32 = &decoded<float, &KernelTable::decode_normals_f32, 3>;
constexpr auto call_decode_scalar_f32 = &decoded<float, &KernelTable::decode_scalar_f32>;

}  // namespace

void bind_kernels(py::module_& module) {
  py::class_<Kernels> kernels(module, "Kernels");
  kernels.def(py::init(&make), py::arg("isa")).def_static("names", &names);
  // Does not compile while a kernel of the list has no call_<name>.
#define KERNEL(name, result, parameters) kernels.def(#name, call_##name);
#define PACKED(name, result, parameters)                       \
  kernels.def(#name "_f32", call_##name<&KernelTable::f32>);   \
  kernels.def(#name "_bf16", call_##name<&KernelTable::bf16>); \
  kernels.def(#name "_s8", call_##name<&KernelTable::s8>);
#include "cpu/kernels.def"
}

}  // namespace sakedge::bindings
