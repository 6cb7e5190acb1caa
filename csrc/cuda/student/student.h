#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cuda/student/call.h"
#include "cuda/student/results.h"

namespace sakedge::cuda {

// A whole student on a device: stem and decoder. Holds the stem's weights; every run brings the
// snapshot that it is computed with. Any thread may call it; calls go one after the other, on a
// stream of its own. What fails leaves it usable, but for a lost device.
class Student {
 public:
  // `normalisation` as the manifest's mean and std make it; `graphs` shapes are kept, at least 1.
  static Expected<std::unique_ptr<Student>> make(std::shared_ptr<const Stem> stem,
                                                 const Normalisation& normalisation, Index graphs);

  // Whether `run` takes a call. Fails with kInvalid.
  Status check(const Request& request) const;

  // Runs a call, and returns when its results are there: the block that its outputs then lie in,
  // which no later call touches. All that it points to is borrowed. Fails as `check`; with
  // kDeviceMemory, kDriver, kDeviceLost.
  Expected<Results::Block> run(Request& request);

  // Makes the graph of a call's shape and reserves its memory, so that the first call is as fast as
  // the next. Pixels are not looked at.
  Status capture(const Request& request);

  // Runs a call kernel by kernel, right behind each other: each step's kernel and milliseconds, in
  // the order of the plan, decode and upsample last. A microsecond or so of each is the event's.
  using Profile = std::vector<std::pair<std::string, float>>;
  Expected<Profile> profile(Request& request);

  // Milliseconds of the calling thread's last run: until the pictures were there, until all was
  // computed, until the results were back.
  struct Times {
    float upload = 0.0f;
    float device = 0.0f;
    float download = 0.0f;
  };
  Times times() const;

  const Stem& stem() const { return *stem_; }
  CUstream stream() const { return stream_.handle(); }
  // Bytes of memory that it has reserved, on device and host, without parts. Those of results that
  // are kept are among them.
  Index memory() const;
  // Shapes whose graphs are kept, and kernels of the graph of the last call.
  Index kept() const;
  Index most() const { return graphs_.most(); }
  int nodes() const;

 private:
  static constexpr int kMoments = 4;  // begin, uploaded, computed, downloaded

  Student(std::shared_ptr<const Stem> stem, const Normalisation& normalisation, Index graphs,
          Stream stream, std::vector<Event> moments);

  // Does `work` for a call that it takes, under the mutex. What was begun is over when it has
  // failed.
  template <class Work>
  Status guarded(const Request& request, const Work& work);
  // Graph and memory for a call.
  Status reserve_for(const Call& call, Graphs::Entry*& entry, Results::Lent& results);
  // The work of a call on the stream: `compute` launches its graph, `sample` what follows. What it
  // fills `results` with must stay until the stream is waited for.
  template <class Compute, class Sample>
  Status serve(Request& request, Results::Lent& results, const Compute& compute,
               const Sample& sample);
  Status sample(const char* op, const Sampling& sampling);
  Status take_times() const;

  std::shared_ptr<const Stem> stem_;
  mutable std::mutex mutex_;  // of all that follows
  Graphs graphs_;
  Stream stream_;
  std::vector<Event> moments_;
  Mirror pixels_;
  Results results_;
  int nodes_ = 0;
  Status lost_;  // once the device is
};

}  // namespace sakedge::cuda
