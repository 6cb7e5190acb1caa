#include "core/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif
#ifndef _WIN32
#include <unistd.h>
#endif

#include "core/aligned.h"
#include "core/limits.h"

namespace sakedge {
namespace {

long process_id() {
#ifdef _WIN32
  return 0;  // no fork there
#else
  return static_cast<long>(getpid());
#endif
}

// Tells the processor that this is a spin loop, which saves power and leaves resources to the
// core's other hardware thread.
void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

// Spins until `done()`, for at most kPatience.
template <typename Done>
void spin_until(const Done& done) {
  const auto end = std::chrono::steady_clock::now() + ThreadPool::kPatience;
  do {
    for (int i = 0; i < 16; ++i) {
      if (done()) {
        return;
      }
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
}

}  // namespace

struct ThreadPool::State {
  // One parallel_for; lives on its caller's stack.
  struct Job {
    const Call call;
    const void* const context;
    const Index count;
    alignas(kAlignment) std::atomic<Index> next{0};  // written by all, beside what all read
    std::atomic<int> helpers{0};                     // workers in it; changed under `mutex` only
    std::condition_variable left;

    Job(Call the_call, const void* the_context, Index the_count)
        : call(the_call), context(the_context), count(the_count) {}

    void work(int worker) {
      for (Index i = next.fetch_add(1, std::memory_order_relaxed); i < count;
           i = next.fetch_add(1, std::memory_order_relaxed)) {
        call(context, i, worker);
      }
    }
    bool has_work() const { return next.load(std::memory_order_relaxed) < count; }
  };

  std::mutex mutex;
  std::condition_variable wake;
  std::vector<Job*> jobs;             // oldest first
  std::atomic<bool> stopping{false};  // changed under `mutex` only, as is `posted`
  std::atomic<unsigned> posted{0};    // number of jobs posted; spinning workers watch it
  std::atomic<int> bursts{0};
  std::vector<std::thread> workers;
  long owner = process_id();

  Job* open_job() const {
    const auto open = std::find_if(jobs.begin(), jobs.end(),
                                   [](const Job* candidate) { return candidate->has_work(); });
    return open == jobs.end() ? nullptr : *open;
  }

  void serve(int worker) {
    std::unique_lock lock(mutex);
    while (true) {
      Job* job = open_job();
      if (job == nullptr && bursts > 0) {
        const unsigned seen = posted;
        lock.unlock();
        spin_until([&] { return posted != seen || bursts == 0 || stopping; });
        lock.lock();
      }
      wake.wait(lock, [&] {
        job = open_job();
        return job != nullptr || stopping;
      });
      if (job == nullptr) {
        return;
      }
      ++job->helpers;
      lock.unlock();
      job->work(worker);
      lock.lock();
      if (--job->helpers == 0) {
        job->left.notify_one();
      }
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (std::thread& thread : workers) {
      thread.join();
    }
  }
};

Expected<std::shared_ptr<ThreadPool>> ThreadPool::make(Index threads) {
  if (threads < 1 || threads > kMostThreads) {
    return Status(Code::kInvalid, "threads: expected 1 to " + std::to_string(kMostThreads) +
                                      ", got " + std::to_string(threads));
  }
  try {
    return std::make_shared<ThreadPool>(static_cast<int>(threads));
  } catch (const std::system_error&) {
    return Status(Code::kExhausted,
                  "the system does not start " + std::to_string(threads) + " threads");
  }
}

ThreadPool::ThreadPool(int threads)
    : threads_(std::max(threads, 1)), state_(std::make_unique<State>()) {
  state_->workers.reserve(static_cast<std::size_t>(threads_ - 1));
  try {
    for (int worker = 1; worker < threads_; ++worker) {
      state_->workers.emplace_back([state = state_.get(), worker] { state->serve(worker); });
    }
  } catch (...) {
    state_->stop();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  if (state_->owner != process_id()) {
    // In a forked child the workers do not exist and the mutex may be held for ever.
    [[maybe_unused]] const State* leaked = state_.release();
    return;
  }
  state_->stop();
}

void ThreadPool::run(Index count, Call call, const void* context) {
  State::Job job(call, context, count);
  // A forked child has no workers, and the mutex may be held for ever.
  if (count <= 1 || threads_ == 1 || state_->owner != process_id()) {
    job.work(0);
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->jobs.push_back(&job);
    ++state_->posted;
  }
  if (count - 1 < static_cast<Index>(threads_ - 1)) {
    for (Index i = 0; i < count - 1; ++i) {
      state_->wake.notify_one();
    }
  } else {
    state_->wake.notify_all();
  }
  job.work(0);
  {
    const std::lock_guard lock(state_->mutex);
    std::erase(state_->jobs, &job);  // no worker joins from here on
  }
  if (state_->bursts > 0) {
    spin_until([&] { return job.helpers == 0; });
  }
  // Takes the lock even when helpers == 0: the last worker accesses the job until it unlocks.
  std::unique_lock lock(state_->mutex);
  job.left.wait(lock, [&] { return job.helpers == 0; });
}

ThreadPool::Burst::Burst(ThreadPool& pool) : pool_(pool) { ++pool_.state_->bursts; }
ThreadPool::Burst::~Burst() { --pool_.state_->bursts; }

}  // namespace sakedge
