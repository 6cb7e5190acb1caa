#include <algorithm>

#include "calls/kinds.h"
#include "calls/memory.h"
#include "cpu/scratch.h"

namespace sakedge::calls {
namespace {

using cpu::KernelTable;
using cpu::Lerp;
using cpu::SampleArgs;

constexpr Index kFloat = static_cast<Index>(sizeof(float));

// A cell's place; -1, which lies on no axis, for what is no whole number.
std::int32_t place_of(float value) {
  const bool is_place = value >= 0.0f && value <= static_cast<float>(kMostElements);
  return is_place ? static_cast<std::int32_t>(value) : -1;
}

std::vector<Lerp> lerps_of(const Array& array) {
  std::vector<Lerp> lerps;
  for (std::size_t i = 0; i + 4 <= array.values.size(); i += 4) {
    const float* v = array.values.data() + i;
    lerps.push_back({place_of(v[0]), place_of(v[1]), v[2], v[3]});
  }
  return lerps;
}

// Whether an output of so many rows takes no more than a call may.
bool is_bounded_sampling(const Arrays& in) {
  return is_bounded({in[1].shape[0], in[0].shape[1] + in[2].shape[0], in[0].shape[2]});
}

// Whether all cells that the lerps refer to lie on an axis of this size.
bool lie_within(const std::vector<Lerp>& lerps, Index size) {
  return std::all_of(lerps.begin(), lerps.end(), [size](const Lerp& lerp) {
    return lerp.low >= 0 && lerp.low < size && lerp.high >= 0 && lerp.high < size;
  });
}

// [9, height * width, c] as the decoder lays them out: the nine of a token side by side.
Rows by_token(const Array& maps, Index tokens, Index c) {
  Rows result(tokens * 9, c);
  for (Index tap = 0; tap < 9; ++tap) {
    for (Index token = 0; token < tokens; ++token) {
      std::copy_n(maps.values.data() + (tap * tokens + token) * c, c,
                  result.data() + (token * 9 + tap) * result.stride());
    }
  }
  return result;
}

// A decoder over the whole output, in two bands, so that one that starts in the middle is tested.
// `run(args, out)` writes `size` elements of type Out, which become floats of `shape`.
template <typename Out, typename Run>
Result sampled(const Arrays& in, Index classes, const std::vector<Index>& shape, const Run& run) {
  const Index width = in[0].shape[1];
  const Index out_height = in[1].shape[0];
  const Index out_width = in[2].shape[0];
  const std::vector<Lerp> rows = lerps_of(in[1]);
  const std::vector<Lerp> columns = lerps_of(in[2]);
  if (!lie_within(rows, in[0].shape[0]) || !lie_within(columns, width)) {
    return wrong_inputs("positions within the map");
  }
  if (!is_bounded_sampling(in)) {
    return too_large();
  }
  const Block scratch(cpu::sample_scratch(width, classes, out_width) * kFloat);
  const Index size = count(shape);
  const Block block(size * static_cast<Index>(sizeof(Out)));
  Out* out = reinterpret_cast<Out*>(block.data());
  SampleArgs args{in[0].values.data(), width,     classes,         rows.data(), columns.data(), 0,
                  out_height / 2,      out_width, scratch.floats()};
  run(args, out);
  args.begin = args.end;
  args.end = out_height;
  run(args, out);
  Array result{shape, {}};
  std::transform(out, out + size, std::back_inserter(result.values),
                 [](Out value) { return static_cast<float>(value); });
  return checked(block.guard_intact() && scratch.guard_intact(), {std::move(result)});
}

bool is_sampling(const Arrays& in) {
  return in.size() == 3 && in[0].shape.size() == 3 && in[1].shape.size() == 2 &&
         in[2].shape.size() == 2 && in[1].shape[1] == 4 && in[2].shape[1] == 4;
}

constexpr const char* kSampling = "map [height, width, classes], rows [h, 4], columns [w, 4]";

// What a decoder of kinds.def takes and gives.
struct Decoded {
  Index fewest, most, values;

  bool takes(Index classes) const { return classes >= fewest && classes <= most; }

  std::vector<Index> shape(std::initializer_list<Index> pixels) const {
    std::vector<Index> result = pixels;
    if (values > 1) {
      result.push_back(values);
    }
    return result;
  }
};

template <typename Out>
Result decoded(void (*kernel)(const SampleArgs&, Out*), const Arrays& in, const Decoded& decoder) {
  if (!is_sampling(in) || !decoder.takes(in[0].shape[2])) {
    return wrong_inputs(kSampling);
  }
  const std::vector<Index> shape = decoder.shape({in[1].shape[0], in[2].shape[0]});
  return sampled<Out>(in, in[0].shape[2], shape, kernel);
}

template <typename Out>
Result decoded_planes(void (*kernel)(const cpu::PlaneArgs&, Out*), const Arrays& in,
                      const Decoded& decoder) {
  if (in.size() != 1 || in[0].shape.size() != 2 || !decoder.takes(in[0].shape[0])) {
    return wrong_inputs("planes [classes, pixels]");
  }
  const Index classes = in[0].shape[0];
  const Index pixels = in[0].shape[1];
  const Rows planes(classes, pixels, in[0].values.data());
  Array result{decoder.shape({pixels}), {}};
  const Index size = count(result.shape);
  const Block block(size * static_cast<Index>(sizeof(Out)));
  const Out* out = reinterpret_cast<const Out*>(block.data());
  kernel({planes.data(), planes.stride(), classes, pixels}, reinterpret_cast<Out*>(block.data()));
  std::transform(out, out + size, std::back_inserter(result.values),
                 [](Out value) { return static_cast<float>(value); });
  return checked(block.guard_intact(), {std::move(result)});
}

}  // namespace

Result head_expand_f32(const KernelTable& table, const Arrays& in) {
  const char* expected =
      "maps [9, height, width, c], rows [h, 3, 4], columns [w, 3, 4], bias [c], last [classes, c], "
      "its bias [classes] or none, logits [h, w, classes] or none";
  if (in.size() != 7 || in[0].shape.size() != 4 || in[1].shape.empty() || in[2].shape.empty() ||
      in[4].shape.size() != 2) {
    return wrong_inputs(expected);
  }
  const Index height = in[0].shape[1];
  const Index width = in[0].shape[2];
  const Index c = in[0].shape[3];
  const Index out_height = in[1].shape[0];
  const Index out_width = in[2].shape[0];
  const Index classes = in[4].shape[0];
  const bool accumulate = !is_none(in[6]);
  const std::vector<Lerp> rows = lerps_of(in[1]);
  const std::vector<Lerp> columns = lerps_of(in[2]);
  if (in[0].shape[0] != 9 || !has_shape(in[1], {out_height, 3, 4}) ||
      !has_shape(in[2], {out_width, 3, 4}) || !has_shape(in[3], {c}) || in[4].shape[1] != c ||
      (!is_none(in[5]) && !has_shape(in[5], {classes})) ||
      (accumulate && !has_shape(in[6], {out_height, out_width, classes})) ||
      !lie_within(rows, height) || !lie_within(columns, width)) {
    return wrong_inputs(expected);
  }
  if (!is_bounded({out_height, out_width + width, c, classes + 9})) {
    return too_large();
  }
  const Rows maps = by_token(in[0], height * width, c);
  const Rows last(classes, c, in[4].values.data());
  const Index size = out_height * out_width * classes;
  Rows logits(1, size, data_or_null(in[6]));
  const Block scratch(cpu::expand_scratch(c, width, out_width) * kFloat);
  cpu::ExpandArgs args{c,
                       classes,
                       width,
                       maps.data(),
                       9 * maps.stride(),
                       maps.stride(),
                       rows.data(),
                       columns.data(),
                       0,
                       out_height / 2,
                       out_width,
                       in[3].values.data(),
                       last.data(),
                       last.stride(),
                       data_or_null(in[5]),
                       accumulate,
                       logits.data(),
                       scratch.floats()};
  table.head_expand_f32(args);
  args.begin = args.end;
  args.end = out_height;
  table.head_expand_f32(args);
  return checked(logits.gaps_intact() && scratch.guard_intact(),
                 {{{out_height, out_width, classes}, logits.dense()}});
}

#define DECODER(family, name, fewest, most, Value, values)                               \
  Result decode_##name##_f32(const KernelTable& table, const Arrays& in) {               \
    return decoded(table.decode_##name##_f32, in, {fewest, most, values});               \
  }                                                                                      \
  Result decode_planes_##name##_f32(const KernelTable& table, const Arrays& in) {        \
    return decoded_planes(table.decode_planes_##name##_f32, in, {fewest, most, values}); \
  }
#include "cpu/kinds.def"

Result upsample_f32(const KernelTable& table, const Arrays& in) {
  if (!is_sampling(in)) {
    return wrong_inputs(kSampling);
  }
  const Index classes = in[0].shape[2];
  const Index plane = in[1].shape[0] * in[2].shape[0];
  return sampled<float>(
      in, classes, {classes, in[1].shape[0], in[2].shape[0]},
      [&](const SampleArgs& args, float* out) { table.upsample_f32(args, plane, out); });
}

// In two bands of rows, as `sampled`.
Result blend_f32(const KernelTable& table, const Arrays& in) {
  const char* expected =
      "map [height, width, classes], rows [h, 4], columns [w, 4], row weights [h], "
      "column weights [w], planes [classes, h, w]";
  if (in.size() != 6 || !is_sampling({in[0], in[1], in[2]})) {
    return wrong_inputs(expected);
  }
  const Index width = in[0].shape[1];
  const Index classes = in[0].shape[2];
  const Index out_height = in[1].shape[0];
  const Index out_width = in[2].shape[0];
  const std::vector<Lerp> rows = lerps_of(in[1]);
  const std::vector<Lerp> columns = lerps_of(in[2]);
  if (!has_shape(in[3], {out_height}) || !has_shape(in[4], {out_width}) ||
      !has_shape(in[5], {classes, out_height, out_width}) || !lie_within(rows, in[0].shape[0]) ||
      !lie_within(columns, width)) {
    return wrong_inputs(expected);
  }
  if (!is_bounded_sampling(in)) {
    return too_large();
  }
  const Block scratch(cpu::sample_scratch(width, classes, out_width) * kFloat);
  Rows planes(classes * out_height, out_width, in[5].values.data());
  cpu::BlendArgs args{{in[0].values.data(), width, classes, rows.data(), columns.data(), 0,
                       out_height / 2, out_width, scratch.floats()},
                      in[3].values.data(),
                      in[4].values.data(),
                      out_height * planes.stride(),
                      planes.stride(),
                      planes.data()};
  table.blend_f32(args);
  args.samples.begin = args.samples.end;
  args.samples.end = out_height;
  args.out += args.samples.begin * args.row_stride;
  table.blend_f32(args);
  return checked(planes.gaps_intact() && scratch.guard_intact(),
                 {{{classes, out_height, out_width}, planes.dense()}});
}

}  // namespace sakedge::calls
