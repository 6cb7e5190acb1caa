#include "cpu/dispatch.h"

#include <iterator>

namespace sakedge::cpu {
namespace {

bool is_whole(const PackedKernels& kernels) {
  bool whole = true;
#define PACKED(name, result, parameters) whole = whole && kernels.name != nullptr;
#include "cpu/kernels.def"
  return whole;
}

// Copies from `table` the kernels that stand alone and that `result` still lacks.
void inherit(const KernelTable& table, KernelTable& result) {
#define KERNEL(name, result_type, parameters) \
  if (result.name == nullptr) {               \
    result.name = table.name;                 \
  }
#include "cpu/kernels.def"
}

}  // namespace

std::string missing_features(const Isa& isa, Features present) {
  std::string missing;
  for (Features rest = isa.required & ~present; rest != 0; rest &= rest - 1) {
    const char* name = feature_name(rest & (~rest + 1));  // the lowest bit
    missing += missing.empty() ? "" : ", ";
    missing += name == nullptr ? "an unnamed feature" : name;
  }
  return missing;
}

Expected<Index> choose(std::span<const Isa> candidates, Features present, std::string_view forced) {
  std::string known;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Isa& isa = candidates[i];
    known += (i == 0 ? "" : ", ") + std::string(isa.name);
    if (!forced.empty() && isa.name != forced) {
      continue;
    }
    const std::string missing = missing_features(isa, present);
    if (missing.empty()) {
      return static_cast<Index>(i);
    }
    if (!forced.empty()) {
      return Status(Code::kIsaUnsupported, std::string(forced) + " needs " + missing +
                                               ", which this CPU or its operating system lacks");
    }
  }
  return Status(Code::kIsaUnknown, "one of " + known);
}

Index provider(std::span<const Isa> candidates, Features present, Index chosen,
               Arithmetic arithmetic) {
  Index position = chosen;
  const auto provides = [&] {
    const Isa& isa = candidates[static_cast<std::size_t>(position)];
    return missing_features(isa, present).empty() && is_whole(select(*isa.table, arithmetic));
  };
  while (position + 1 < std::ssize(candidates) && !provides()) {
    ++position;
  }
  return position;
}

KernelTable compose(std::span<const Isa> candidates, Features present, Index chosen) {
  KernelTable result{};
  for (const Isa& isa : candidates.subspan(static_cast<std::size_t>(chosen))) {
    if (missing_features(isa, present).empty()) {
      inherit(*isa.table, result);
    }
  }
  for (const Arithmetic arithmetic : kArithmetics) {
    const Index from = provider(candidates, present, chosen, arithmetic);
    select(result, arithmetic) =
        select(*candidates[static_cast<std::size_t>(from)].table, arithmetic);
  }
  return result;
}

}  // namespace sakedge::cpu
