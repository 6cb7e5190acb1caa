#pragma once

#include <string>

#include "calls/array.h"
#include "calls/peak/peak.h"
#include "core/status.h"
#include "cpu/kernel_table.h"

// The calls of call.h by kind of kernel. All take their inputs in the order that call.h gives.
namespace sakedge::calls {

using Result = Expected<Arrays>;

inline Status wrong_inputs(const char* expected) {
  return {Code::kInvalid, std::string("inputs: expected ") + expected};
}

inline Status too_large() { return {Code::kInvalid, "inputs: more than a call may take"}; }

// `outputs` unless the memory beside them, or beside the scratch, was written to.
inline Result checked(bool intact, Arrays outputs) {
  if (!intact) {
    return Status(Code::kInvalid, "wrote beyond its outputs or its scratch");
  }
  return outputs;
}

// matrices.cpp: each for the kernels, or the peak, of one arithmetic
Result packed_size(const cpu::PackedKernels& kernels, const Arrays& in);
Result pack(const cpu::PackedKernels& kernels, const Arrays& in);
Result row_size(const cpu::PackedKernels& kernels, const Arrays& in);
Result prepare(const cpu::PackedKernels& kernels, const Arrays& in);
Result linear(const cpu::PackedKernels& kernels, const Arrays& in);
Result adapter(const cpu::PackedKernels& kernels, const Arrays& in);
Result router(const cpu::PackedKernels& kernels, const Arrays& in);
Result peak(Peak kernel, const Arrays& in);

// tokens.cpp
Result magnitude_f32(const cpu::KernelTable& table, const Arrays& in);
Result gelu_f32(const cpu::KernelTable& table, const Arrays& in);
Result layer_norm_f32(const cpu::KernelTable& table, const Arrays& in);
Result mix_f32(const cpu::KernelTable& table, const Arrays& in);

// maps.cpp
Result head_expand_f32(const cpu::KernelTable& table, const Arrays& in);
#define DECODER(family, name, fewest, most, Value, values)                     \
  Result decode_##name##_f32(const cpu::KernelTable& table, const Arrays& in); \
  Result decode_planes_##name##_f32(const cpu::KernelTable& table, const Arrays& in);
#include "cpu/kinds.def"
Result upsample_f32(const cpu::KernelTable& table, const Arrays& in);
Result blend_f32(const cpu::KernelTable& table, const Arrays& in);

}  // namespace sakedge::calls
