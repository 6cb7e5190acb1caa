#include "calls/kinds.h"
#include "calls/memory.h"

namespace sakedge::calls {

Result magnitude_f32(const cpu::KernelTable& table, const Arrays& in) {
  if (in.size() != 1 || in[0].shape.size() != 1) {
    return wrong_inputs("x [n]");
  }
  return Arrays{{{1}, {table.magnitude_f32(in[0].shape[0], in[0].values.data())}}};
}

Result gelu_f32(const cpu::KernelTable& table, const Arrays& in) {
  if (in.size() != 1 || in[0].shape.size() != 1) {
    return wrong_inputs("x [n]");
  }
  Rows y(1, in[0].shape[0], in[0].values.data());
  table.gelu_f32(in[0].shape[0], y.data());
  return checked(y.gaps_intact(), {{in[0].shape, y.dense()}});
}

Result layer_norm_f32(const cpu::KernelTable& table, const Arrays& in) {
  const char* expected = "x [m, c], gamma, beta [c], epsilon [1]";
  if (in.size() != 4 || in[0].shape.size() != 2 || in[0].shape[1] < 1) {
    return wrong_inputs(expected);
  }
  const Index m = in[0].shape[0];
  const Index c = in[0].shape[1];
  if (!has_shape(in[1], {c}) || !has_shape(in[2], {c}) || !has_shape(in[3], {1})) {
    return wrong_inputs(expected);
  }
  const Rows x(m, c, in[0].values.data());
  Rows y(m, c);
  table.layer_norm_f32({m, c, x.data(), x.stride(), in[1].values.data(), in[2].values.data(),
                        in[3].values[0], y.data(), y.stride()});
  return checked(y.gaps_intact(), {{{m, c}, y.dense()}});
}

Result mix_f32(const cpu::KernelTable& table, const Arrays& in) {
  const char* expected = "inputs [experts, m, c], weights [experts]";
  if (in.size() != 2 || in[0].shape.size() != 3 || !has_shape(in[1], {in[0].shape[0]}) ||
      in[0].shape[0] < 1) {
    return wrong_inputs(expected);
  }
  const Index experts = in[0].shape[0];
  const Index m = in[0].shape[1];
  const Index c = in[0].shape[2];
  std::vector<Rows> inputs;
  inputs.reserve(static_cast<std::size_t>(experts));
  std::vector<const float*> pointers;
  std::vector<Index> strides;
  for (Index e = 0; e < experts; ++e) {
    inputs.emplace_back(m, c, in[0].values.data() + e * m * c);
    pointers.push_back(inputs.back().data());
    strides.push_back(inputs.back().stride());
  }
  Rows y(m, c);
  table.mix_f32(
      {m, c, experts, pointers.data(), strides.data(), in[1].values.data(), y.data(), y.stride()});
  return checked(y.gaps_intact(), {{{m, c}, y.dense()}});
}

}  // namespace sakedge::calls
