#pragma once

#include <chrono>
#include <memory>
#include <type_traits>

#include "core/index.h"
#include "core/status.h"

namespace sakedge {

// Threads that sleep on a condition variable while there is nothing to do.
//
// The thread that calls parallel_for works too, so a pool of `threads` starts `threads - 1`.
// Several threads may call parallel_for at once: idle workers join whichever job has work left.
//
// Waking a thread takes as long as a small job (50 us in a virtual machine). So between the jobs of
// one Burst, and only there, a waiting thread spins for `kPatience` before it sleeps. Outside of
// bursts nothing spins: the stem's threads, which run before and after, have the processors to
// themselves.
class ThreadPool {
 public:
  // Fails with kInvalid unless there are 1 to kMostThreads, and with kExhausted if the system
  // starts no more threads.
  static Expected<std::shared_ptr<ThreadPool>> make(Index threads);

  // Throws std::system_error.
  explicit ThreadPool(int threads);
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // How long a thread spins, waiting for work or for the other threads to finish, before it sleeps:
  // about the cost of sleeping and waking, so that waiting costs at most twice the better choice.
  static constexpr std::chrono::microseconds kPatience{50};

  // While one exists, jobs follow each other closely.
  class Burst {
   public:
    explicit Burst(ThreadPool& pool);
    ~Burst();

    Burst(const Burst&) = delete;
    Burst& operator=(const Burst&) = delete;

   private:
    ThreadPool& pool_;
  };

  // Calls body(index, worker) once for every index in [0, count), in no particular order, and
  // returns when all calls have returned. `worker` is in [0, threads()) and no two calls that run
  // at the same time for this job share it: it picks scratch memory. `body` must not throw, and
  // must not call parallel_for of the same pool.
  template <typename Body>
  void parallel_for(Index count, const Body& body) {
    run(
        count,
        [](const void* context, Index index, int worker) {
          (*static_cast<const Body*>(context))(index, worker);
        },
        &body);
  }

 private:
  struct State;
  using Call = void (*)(const void* context, Index index, int worker);

  void run(Index count, Call call, const void* context);

  int threads_;
  std::unique_ptr<State> state_;
};

}  // namespace sakedge
