#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/status.h"
#include "cpu/arithmetic.h"
#include "cpu/cpuid.h"

namespace sakedge::cpu {

// An instruction set that is compiled in.
struct Isa {
  std::string_view name;
  const KernelTable* table;
  Features required;
  // Arithmetics that it has multiply-add instructions for, so that they are worth choosing for
  // their speed. Others in its table are emulated with wider types.
  ArithmeticSet native = 0;
};

// Those of this build, best first; the last one runs anywhere and fills every entry.
std::span<const Isa> isas();

// Names of the features that an instruction set requires and `present` lacks; empty if none.
std::string missing_features(const Isa& isa, Features present);

// Position of the best instruction set that runs, or of the one named `forced` unless that is
// empty. Fails with kIsaUnknown or kIsaUnsupported.
Expected<Index> choose(std::span<const Isa> candidates, Features present, std::string_view forced);

// Position of the instruction set that an arithmetic's kernels come from: the first that runs, from
// `chosen` on, whose table has them all.
Index provider(std::span<const Isa> candidates, Features present, Index chosen,
               Arithmetic arithmetic);

// The table of candidates[chosen], its empty entries taken from the next best instruction sets that
// run here. The matrix kernels of an arithmetic are taken from their provider as a whole (see
// kernels.def).
KernelTable compose(std::span<const Isa> candidates, Features present, Index chosen);

// Where the kernels of one arithmetic come from.
struct Provider {
  std::string_view isa;
  bool native = false;
};

// The kernels in use and the instruction set they were chosen by.
struct Active {
  std::string_view isa;
  KernelTable kernels;
  std::array<Provider, std::size(kArithmetics)> providers;  // in the order of kArithmetics
};

// Detects the CPU's features, reads SAKEDGE_ISA and composes the table on the first call; later
// calls return the same.
const Expected<Active>& active();

}  // namespace sakedge::cpu
