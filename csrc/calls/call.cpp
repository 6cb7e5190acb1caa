#include "calls/call.h"

#include "calls/kinds.h"

namespace sakedge::calls {
namespace {

struct Entry {
  std::string_view name;
  Result (*call)(const cpu::KernelTable& table, const Arrays& inputs);
};

// Fails to compile if a kernel of the list has no call of its name.
#define ARITHMETIC(name, arithmetic)                                                \
  {#name "_" #arithmetic, [](const cpu::KernelTable& table, const Arrays& inputs) { \
     return name(table.arithmetic, inputs);                                         \
   }},
constexpr Entry kEntries[] = {
#define PACKED(name, result, parameters) \
  ARITHMETIC(name, f32) ARITHMETIC(name, bf16) ARITHMETIC(name, s8)
#define KERNEL(name, result, parameters) {#name, name},
#include "cpu/kernels.def"
};
#undef ARITHMETIC

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const Entry& entry : kEntries) {
    result.emplace_back(entry.name);
  }
  return result;
}

Expected<Arrays> call(const cpu::KernelTable& table, std::string_view name, const Arrays& inputs) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) {
      return entry.call(table, inputs);
    }
  }
  return Status(Code::kInvalid, "no kernel " + std::string(name));
}

}  // namespace sakedge::calls
