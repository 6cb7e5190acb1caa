// Which instruction set is chosen, and where its empty entries come from. The instruction sets here
// are made up, so that every case exists on every machine; the code under test is the real one.
#include "cpu/dispatch.h"

#include "expect.h"

namespace {

using namespace sakedge;
using namespace sakedge::cpu;

// Real kernels under other names: what matters is which table a pointer comes from.
void gelu_a(Index, float*) {}
void gelu_b(Index, float*) {}
void linear_a(const LinearArgs&) {}

constexpr Features kOne = kAvx2;
constexpr Features kTwo = kAvxVnni;

struct Tables {
  const KernelTable& base = *isas().back().table;
  KernelTable best{};
  KernelTable middle{};
};

void an_empty_entry_takes_the_next_best_that_runs() {
  Tables t;
  t.best.mix_f32 = t.base.mix_f32;
  t.middle.gelu_f32 = gelu_b;
  const Isa list[] = {{"best", &t.best, kOne}, {"middle", &t.middle, kTwo}, {"base", &t.base, 0}};

  const KernelTable all = compose(list, kOne | kTwo, 0);
  EXPECT(all.gelu_f32 == gelu_b);
  EXPECT(all.f32.linear == t.base.f32.linear);

  // AVX-512 without AVX-VNNI and the other way round both exist: no straight line.
  const KernelTable without_middle = compose(list, kOne, 0);
  EXPECT(without_middle.gelu_f32 == t.base.gelu_f32);
}

void a_better_instruction_set_is_not_inherited_from() {
  Tables t;
  t.best.gelu_f32 = gelu_a;
  const Isa list[] = {{"best", &t.best, kOne}, {"base", &t.base, 0}};
  EXPECT(compose(list, kOne, 0).gelu_f32 == gelu_a);
  EXPECT(compose(list, kOne, 1).gelu_f32 == t.base.gelu_f32);
}

void kernels_that_share_a_layout_come_from_one_table() {
  Tables t;
  t.best.bf16.linear = linear_a;  // its pack is missing: it would read another's layout
  t.best.gelu_f32 = gelu_a;
  const Isa list[] = {{"best", &t.best, 0}, {"base", &t.base, 0}};
  const KernelTable table = compose(list, 0, 0);
  EXPECT(table.bf16.linear == t.base.bf16.linear);
  EXPECT(table.gelu_f32 == gelu_a);
  EXPECT(provider(list, 0, 0, Arithmetic::kBf16) == 1);

  t.best = t.base;
  t.best.bf16.linear = linear_a;
  EXPECT(compose(list, 0, 0).bf16.linear == linear_a);
  EXPECT(provider(list, 0, 0, Arithmetic::kBf16) == 0);
}

// avx512_bf16 has one arithmetic, avx512_vnni another, and avx512 all three.
void each_arithmetic_comes_from_the_best_that_has_it() {
  Tables t;
  t.best.bf16 = t.base.bf16;
  t.middle.s8 = t.base.s8;
  const Isa list[] = {{"best", &t.best, kOne}, {"middle", &t.middle, kTwo}, {"base", &t.base, 0}};
  EXPECT(provider(list, kOne | kTwo, 0, Arithmetic::kBf16) == 0);
  EXPECT(provider(list, kOne | kTwo, 0, Arithmetic::kS8) == 1);
  EXPECT(provider(list, kOne | kTwo, 0, Arithmetic::kF32) == 2);
  EXPECT(provider(list, kOne, 0, Arithmetic::kS8) == 2);
}

void every_entry_is_filled() {
  const KernelTable table = compose(isas(), detect_features(), 0);
#define KERNEL(name, result, parameters) EXPECT(table.name != nullptr);
#define PACKED(name, result, parameters) \
  EXPECT(table.f32.name != nullptr);     \
  EXPECT(table.bf16.name != nullptr);    \
  EXPECT(table.s8.name != nullptr);
#include "cpu/kernels.def"
}

void arithmetics_are_native_where_their_instructions_are() {
  for (const Isa& isa : isas()) {
    for (const Arithmetic precision : kArithmetics) {
      // Whatever is native is there.
      EXPECT((isa.native & only(precision)) == 0 ||
             select(*isa.table, precision).linear != nullptr);
    }
  }
}

void the_best_that_runs_is_chosen() {
  Tables t;
  const Isa list[] = {{"best", &t.best, kOne | kTwo}, {"base", &t.base, 0}};
  EXPECT(choose(list, kOne | kTwo, "").value() == 0);
  EXPECT(choose(list, kOne, "").value() == 1);
  EXPECT(choose(list, kOne | kTwo, "base").value() == 1);
}

void unknown_and_unsupported_are_told_apart() {
  Tables t;
  const Isa list[] = {{"best", &t.best, kOne | kTwo}, {"base", &t.base, 0}};
  const Expected<Index> unknown = choose(list, 0, "sse9");
  EXPECT(unknown.status().code() == Code::kIsaUnknown);
  EXPECT(unknown.status().message() == "one of best, base");
  const Expected<Index> unsupported = choose(list, kOne, "best");
  EXPECT(unsupported.status().code() == Code::kIsaUnsupported);
  EXPECT(unsupported.status().message().find("AVX-VNNI") != std::string::npos);
  EXPECT(unsupported.status().message().find("AVX2") == std::string::npos);
}

void every_feature_has_a_name() {
  for (Features bit = 1; bit <= kNeonBf16; bit <<= 1) {
    EXPECT(feature_name(bit) != nullptr);
  }
}

}  // namespace

int main() try {
  an_empty_entry_takes_the_next_best_that_runs();
  a_better_instruction_set_is_not_inherited_from();
  kernels_that_share_a_layout_come_from_one_table();
  each_arithmetic_comes_from_the_best_that_has_it();
  every_entry_is_filled();
  arithmetics_are_native_where_their_instructions_are();
  the_best_that_runs_is_chosen();
  unknown_and_unsupported_are_told_apart();
  every_feature_has_a_name();
} catch (...) {
  EXPECT(false && "an exception");
}
