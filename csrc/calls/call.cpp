#include "calls/call.h"

#include <algorithm>

#include "calls/kinds.h"

namespace sakedge::calls {
namespace {

struct Entry {
  std::string_view name;
  Result (*call)(const Kernels& kernels, const Arrays& inputs);
};

// Fails to compile if a kernel of the list has no call of its name.
#define ENTRY(name, callee, kernels) \
  {name, [](const Kernels& all, const Arrays& inputs) { return callee(kernels, inputs); }},
#define ARITHMETIC(name, arithmetic) ENTRY(#name "_" #arithmetic, name, all.table.arithmetic)
#define PEAK(arithmetic) ENTRY("peak_" #arithmetic, peak, all.peaks.arithmetic)
constexpr Entry kEntries[] = {
#define PACKED(name, result, parameters) \
  ARITHMETIC(name, f32) ARITHMETIC(name, bf16) ARITHMETIC(name, s8)
#define KERNEL(name, result, parameters) ENTRY(#name, name, all.table)
#include "cpu/kernels.def"
    PEAK(f32) PEAK(bf16) PEAK(s8)};
#undef PEAK
#undef ARITHMETIC
#undef ENTRY

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const Entry& entry : kEntries) {
    result.emplace_back(entry.name);
  }
  return result;
}

Expected<Arrays> call(const Kernels& kernels, std::string_view name, const Arrays& inputs) {
  if (!std::all_of(inputs.begin(), inputs.end(),
                   [](const Array& array) { return is_bounded(array); })) {
    return too_large();
  }
  for (const Entry& entry : kEntries) {
    if (entry.name == name) {
      return entry.call(kernels, inputs);
    }
  }
  return Status(Code::kInvalid, "no kernel " + std::string(name));
}

}  // namespace sakedge::calls
