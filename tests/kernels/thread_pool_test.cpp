#include "core/thread_pool.h"

#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#ifdef _WIN32
#include <windows.h>
#endif

#include "expect.h"

namespace {

using namespace sakedge;

void every_index_runs_once() {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (const Index count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      pool.parallel_for(count, [&](Index i, int worker) {
        EXPECT(worker >= 0 && worker < threads);
        calls[static_cast<std::size_t>(i)].fetch_add(1);
      });
      for (const std::atomic<int>& n : calls) {
        EXPECT(n.load() == 1);
      }
    }
  }
}

// Plain integers: under ThreadSanitizer a worker shared by two running calls is a race.
void a_worker_is_never_shared() {
  ThreadPool pool(4);
  std::vector<Index> sums(4, 0);
  pool.parallel_for(10000,
                    [&](Index i, int worker) { sums[static_cast<std::size_t>(worker)] += i; });
  Index total = 0;
  for (const Index sum : sums) {
    total += sum;
  }
  EXPECT(total == Index{10000} * 9999 / 2);
}

void many_callers_share_the_workers() {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  callers.reserve(8);
  std::atomic<long> total{0};
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        std::vector<long> workers(3, 0);  // this job's own
        pool.parallel_for(17,
                          [&](Index, int worker) { ++workers[static_cast<std::size_t>(worker)]; });
        total += workers[0] + workers[1] + workers[2];
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT(total.load() == 8L * 200 * 17);
}

// Jobs that follow each other at every distance: from before a waiting thread looks away to long
// after it went to sleep.
void jobs_of_a_burst_run_whole() {
  ThreadPool pool(4);
  std::vector<Index> sums(4, 0);
  Index expected = 0;
  for (int round = 0; round < 20; ++round) {
    const ThreadPool::Burst burst(pool);
    for (Index job = 0; job < 50; ++job) {
      pool.parallel_for(job,
                        [&](Index i, int worker) { sums[static_cast<std::size_t>(worker)] += i; });
      expected += job * (job - 1) / 2;
      if (job % 10 == 0) {
        std::this_thread::sleep_for(ThreadPool::kPatience * (job / 10));
      }
    }
  }
  EXPECT(sums[0] + sums[1] + sums[2] + sums[3] == expected);
}

void bursts_of_many_callers_overlap() {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  callers.reserve(6);
  std::atomic<long> total{0};
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const ThreadPool::Burst burst(pool);
        std::vector<long> workers(3, 0);
        for (int job = 0; job < 4; ++job) {
          pool.parallel_for(
              17, [&](Index, int worker) { ++workers[static_cast<std::size_t>(worker)]; });
        }
        total += workers[0] + workers[1] + workers[2];
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT(total.load() == 6L * 50 * 4 * 17);
}

// Processor time of this process, in seconds.
double processor_time() {
#ifdef _WIN32
  // Its clock() is the time of day.
  FILETIME created, ended, kernel, user;
  GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user);
  const auto seconds = [](const FILETIME& time) {
    return 429.4967296 * time.dwHighDateTime + 1e-7 * time.dwLowDateTime;
  };
  return seconds(kernel) + seconds(user);
#else
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
#endif
}

// Neither between bursts nor for long within one: others have the processors.
void waiting_threads_sleep() {
  ThreadPool pool(4);
  pool.parallel_for(4, [](Index, int) {});
  const double start = processor_time();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  {
    const ThreadPool::Burst burst(pool);
    pool.parallel_for(4, [](Index, int) {});
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT(processor_time() - start < 0.05);  // three spinning threads would take 1.2
}

void a_pool_that_never_worked_ends() { ThreadPool pool(5); }

}  // namespace

int main() {
  every_index_runs_once();
  a_worker_is_never_shared();
  many_callers_share_the_workers();
  jobs_of_a_burst_run_whole();
  bursts_of_many_callers_overlap();
  waiting_threads_sleep();
  a_pool_that_never_worked_ends();
}
