// Plans on a device: graphs whose nodes run in any order that edges allow.
#include "cuda/plan/graph.h"

#include "random_plan.h"

namespace {

using namespace sakedge;
using namespace sakedge::cuda;

// A random plan on a device.
struct Run {
  Run(Toy& given, unsigned seed, bool lies)
      : toy(given),
        fixed(toy.memory(RandomPlan::kFixedWords)),
        random(toy.stir, fixed.data(), seed, 30, lies),
        arena(must(DeviceMemory::make(toy.context, random.plan.place()))) {}

  // Fixed memory after `launch`.
  template <class Launch>
  Words result(const Launch& launch) {
    Words words(RandomPlan::kFixedWords);
    must(toy.stream.copy_in(fixed.data(), random.before.data(), bytes(random.before)));
    must(launch());
    must(toy.stream.copy_out(words.data(), fixed.data(), bytes(words)));
    must(toy.stream.wait());
    return words;
  }

  Toy& toy;
  DeviceMemory fixed;
  RandomPlan random;
  DeviceMemory arena;
};

void a_graph_computes_the_same_in_any_order() {
  Toy toy;
  for (unsigned seed = 0; seed < 8; ++seed) {
    Run run(toy, seed, false);
    Graph graph = must(Graph::make(toy.context, run.random.plan, run.arena));
    EXPECT(graph.nodes() == 50 && graph.edges() >= 30);
    must(graph.upload(toy.stream));
    for (int launch = 0; launch < 4; ++launch) {
      EXPECT(run.result([&] { return graph.launch(toy.stream); }) == run.random.expected);
    }
  }
}

// A test of the test: an edge that is missing shows.
void a_read_that_is_not_declared_shows() {
  Toy toy;
  int wrong = 0;
  for (unsigned seed = 0; seed < 8; ++seed) {
    Run run(toy, seed, true);
    Graph graph = must(Graph::make(toy.context, run.random.plan, run.arena));
    wrong += run.result([&] { return graph.launch(toy.stream); }) != run.random.expected ? 1 : 0;
  }
  EXPECT(wrong == 8);
}

void an_arena_that_is_too_small_is_refused() {
  Toy toy;
  Run run(toy, 1, false);
  DeviceMemory small = toy.memory(1);
  const Expected<Graph> graph = Graph::make(toy.context, run.random.plan, small);
  EXPECT(fails(graph.status(), Code::kInvalid, "bytes, got 4"));
}

void a_graph_on_a_lost_device_says_so() {
  Toy toy;
  Run run(toy, 1, false);
  Graph graph = must(Graph::make(toy.context, run.random.plan, run.arena));
  must(graph.launch(toy.stream));
  EXPECT(fails(toy.stream.wait(), Code::kDeviceLost, "CUDA_ERROR_LAUNCH_FAILED"));
  EXPECT(fails(graph.launch(toy.stream), Code::kDeviceLost, "cuGraphLaunch"));
}

constexpr Test kTests[] = {
#define TEST(name) {#name, name}
    TEST(a_graph_computes_the_same_in_any_order),
    TEST(a_read_that_is_not_declared_shows),
    TEST(an_arena_that_is_too_small_is_refused),
    TEST(a_graph_on_a_lost_device_says_so),
#undef TEST
};

}  // namespace

int main(int argc, char** argv) { return run_test(kTests, argc, argv); }
