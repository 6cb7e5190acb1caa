// Plans without a device: what waits for what, and where it lies.
#include "cuda/plan/plan.h"

#include <algorithm>

#include "cuda/plan/arena.h"
#include "random_plan.h"

namespace {

using namespace sakedge;
using namespace sakedge::cuda;
using Buffers = std::vector<Plan::Buffer>;
using Steps = std::vector<int>;

struct Nothing {};

void step(Plan& plan, Buffers reads, Buffers writes) {
  plan.launch<Nothing>({}, {}, std::move(reads), std::move(writes),
                       [](const Addresses&) { return Nothing{}; });
}

Steps after(const Plan& plan, int s) {
  Steps steps = plan.steps()[static_cast<std::size_t>(s)].after;
  std::sort(steps.begin(), steps.end());
  return steps;
}

Index offset(const Plan& plan, Plan::Buffer buffer) {
  return plan.buffers()[static_cast<std::size_t>(buffer.id)].offset;
}

void a_chain_needs_two_buffers() {
  Plan plan;
  Plan::Buffer last = plan.scratch(1000, "first");
  step(plan, {}, {last});
  for (int s = 1; s < 10; ++s) {
    const Plan::Buffer next = plan.scratch(1000, "next");
    step(plan, {last}, {next});
    last = next;
  }
  EXPECT(plan.place() == 2 * 1024);
  for (int s = 1; s < 10; ++s) {
    EXPECT(after(plan, s) == Steps{s - 1});
  }
}

void branches_stay_apart() {
  std::byte result[2];
  Plan plan;
  const Plan::Buffer in = plan.scratch(256, "in");
  const Plan::Buffer out = plan.fixed(result, 1, "out");
  Buffers ends;
  step(plan, {}, {in});
  for (int branch = 0; branch < 2; ++branch) {
    const Plan::Buffer first = plan.scratch(256, "first");
    const Plan::Buffer second = plan.scratch(256, "second");
    const Plan::Buffer end = plan.scratch(256, "end");
    step(plan, {in}, {first});
    step(plan, {first}, {second});
    step(plan, {second}, {end});
    ends.push_back(end);
  }
  step(plan, ends, {out});
  plan.place();
  EXPECT(after(plan, 1) == Steps{0} && after(plan, 4) == Steps{0});
  EXPECT((after(plan, 7) == Steps{3, 6}));
  // in, and the first two buffers of each branch: the third lies where its branch's first did.
  EXPECT(plan.arena_size() == 5 * 256);
}

void a_step_waits_for_readers_and_writers() {
  Plan plan;
  const Plan::Buffer x = plan.scratch(4, "x");
  const Plan::Buffer a = plan.scratch(4, "a");
  const Plan::Buffer b = plan.scratch(4, "b");
  step(plan, {}, {x});
  step(plan, {x}, {a});  // reads what was written
  step(plan, {x}, {b});
  step(plan, {}, {x});  // writes what was read
  step(plan, {}, {x});  // and what was written
  step(plan, {x}, {x});
  plan.place();
  EXPECT(after(plan, 1) == Steps{0} && after(plan, 2) == Steps{0});
  EXPECT((after(plan, 3) == Steps{1, 2}));
  EXPECT(after(plan, 4) == Steps{3} && after(plan, 5) == Steps{4});
}

void overlapping_memory_is_the_same_memory() {
  std::byte memory[8];
  Plan plan;
  const Plan::Buffer low = plan.fixed(memory, 5, "low");
  const Plan::Buffer high = plan.fixed(memory + 4, 4, "high");
  const Plan::Buffer lowest = plan.fixed(memory, 4, "lowest");
  step(plan, {}, {low});
  step(plan, {}, {high});
  step(plan, {}, {lowest});
  EXPECT(plan.place() == 0);
  EXPECT(after(plan, 1) == Steps{0} && after(plan, 2) == Steps{0});
}

void small_buffers_fit_between_large_ones() {
  Plan plan;
  const Plan::Buffer small = plan.scratch(1, "small");
  const Plan::Buffer large = plan.scratch(4096, "large");
  const Plan::Buffer middle = plan.scratch(2000, "middle");
  const Plan::Buffer unused = plan.scratch(1 << 20, "unused");
  step(plan, {}, {large});
  step(plan, {large}, {small});
  step(plan, {small}, {middle});
  EXPECT(plan.place() == 4096 + 256);
  EXPECT(offset(plan, large) == 0 && offset(plan, middle) == 0 && offset(plan, small) == 4096);
  EXPECT(offset(plan, unused) == 0);
}

// Whether two steps touch the same byte, at their addresses, and one of them writes it.
bool hazard(const Plan& plan, const Plan::Step& x, const Plan::Step& y, std::byte* arena) {
  const Addresses at(plan, arena);
  for (const Plan::Use& a : x.uses) {
    for (const Plan::Use& b : y.uses) {
      const std::byte* p = at({a.buffer});
      const std::byte* q = at({b.buffer});
      const Index n = plan.buffers()[static_cast<std::size_t>(a.buffer)].bytes;
      const Index m = plan.buffers()[static_cast<std::size_t>(b.buffer)].bytes;
      if ((a.write || b.write) && p < q + m && q < p + n) {
        return true;
      }
    }
  }
  return false;
}

// Whether `to` waits for `from` by the edges of the plan, but for that from `skipped` to `to`.
bool reaches(const Plan& plan, int from, int to, int skipped) {
  for (const int s : plan.steps()[static_cast<std::size_t>(to)].after) {
    if (s != skipped && (s == from || (s > from && reaches(plan, from, s, -1)))) {
      return true;
    }
  }
  return false;
}

void edges_are_the_hazards_by_address_and_no_more() {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<std::byte> memory(4 * RandomPlan::kFixedWords + (1 << 16));
    RandomPlan random({}, memory.data(), seed, 20);
    Plan& plan = random.plan;
    std::byte* arena = memory.data() + 4 * RandomPlan::kFixedWords;
    EXPECT(plan.place() < 1 << 16);
    const std::vector<Plan::Step>& steps = plan.steps();
    for (std::size_t j = 0; j < steps.size(); ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        EXPECT(!hazard(plan, steps[i], steps[j], arena) ||
               reaches(plan, static_cast<int>(i), static_cast<int>(j), -1));
      }
      for (const int i : steps[j].after) {
        EXPECT(hazard(plan, steps[static_cast<std::size_t>(i)], steps[j], arena));
        EXPECT(!reaches(plan, i, static_cast<int>(j), i));
      }
    }
  }
}

constexpr Test kTests[] = {
#define TEST(name) {#name, name}
    TEST(a_chain_needs_two_buffers),
    TEST(branches_stay_apart),
    TEST(a_step_waits_for_readers_and_writers),
    TEST(overlapping_memory_is_the_same_memory),
    TEST(small_buffers_fit_between_large_ones),
    TEST(edges_are_the_hazards_by_address_and_no_more),
#undef TEST
};

}  // namespace

int main(int argc, char** argv) { return run_test(kTests, argc, argv); }
