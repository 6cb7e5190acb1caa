#include "core/thread_pool.h"

#include <atomic>
#include <thread>
#include <vector>

#include "expect.h"

namespace {

using namespace sakedge;

void every_index_runs_once() {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (const Index count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      pool.parallel_for(count, [&](Index i, int slot) {
        EXPECT(slot >= 0 && slot < threads);
        calls[static_cast<std::size_t>(i)].fetch_add(1);
      });
      for (const std::atomic<int>& n : calls) {
        EXPECT(n.load() == 1);
      }
    }
  }
}

// Plain integers: under ThreadSanitizer a slot shared by two running calls is a race.
void a_slot_is_never_shared() {
  ThreadPool pool(4);
  std::vector<long> sums(4, 0);
  pool.parallel_for(10000, [&](Index i, int slot) { sums[static_cast<std::size_t>(slot)] += i; });
  long total = 0;
  for (const long sum : sums) {
    total += sum;
  }
  EXPECT(total == 10000L * 9999 / 2);
}

void many_callers_share_the_workers() {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  callers.reserve(8);
  std::atomic<long> total{0};
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        std::vector<long> slots(3, 0);  // this job's own
        pool.parallel_for(17, [&](Index, int slot) { ++slots[static_cast<std::size_t>(slot)]; });
        total += slots[0] + slots[1] + slots[2];
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT(total.load() == 8L * 200 * 17);
}

void a_pool_that_never_worked_ends() { ThreadPool pool(5); }

}  // namespace

int main() {
  every_index_runs_once();
  a_slot_is_never_shared();
  many_callers_share_the_workers();
  a_pool_that_never_worked_ends();
}
