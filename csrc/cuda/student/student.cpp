#include "cuda/student/student.h"

#include <limits>

#include "core/limits.h"

namespace sakedge::cuda {
namespace {

// A thread sees the times of its own calls.
struct Taken {
  const Student* student = nullptr;
  Student::Times times;
};
thread_local Taken taken;

// Kernels count a job's elements by int.
Status check_results(const Request& request, const Geometry& geometry) {
  constexpr Index kMost = std::numeric_limits<int>::max();
  for (const Run& run : request.runs) {
    for (const Snapshot::Task& task : run.snapshot->tasks) {
      const Index window = run.window.height * run.window.width * task.decoder->values;
      const Index logits = geometry.input.area() * task.head->classes;
      if ((request.wanted.values && window > kMost) || (request.wanted.logits && logits > kMost)) {
        return {Code::kInvalid, "run: a result of more than 2^31 - 1 numbers"};
      }
    }
  }
  return {};
}

// Quantised rows of z are as wide as the widest head's.
Status check_widths(const Shape& shape, const Request& request) {
  for (const Run& run : request.runs) {
    for (const Snapshot::Task& task : run.snapshot->tasks) {
      if (task.head->arithmetic == Arithmetic::kS8 && task.head->width != shape.z_width) {
        return {Code::kInvalid, "run: int8 heads of one call must have levels of the same width"};
      }
    }
  }
  return {};
}

}  // namespace

Expected<std::unique_ptr<Student>> Student::make(std::shared_ptr<const Stem> stem,
                                                 const Normalisation& normalisation, Index graphs) {
  if (stem == nullptr || graphs < 1) {
    return Status(Code::kInvalid, "student: expected a stem, and at least 1 graph to keep");
  }
  const std::shared_ptr<Context>& context = stem->device->context();
  Expected<Stream> stream = Stream::make(context);
  if (!stream.ok()) {
    return stream.status();
  }
  std::vector<Event> moments;
  for (int i = 0; i < kMoments; ++i) {
    Expected<Event> moment = Event::make(context);
    if (!moment.ok()) {
      return moment.status();
    }
    moments.push_back(std::move(moment).take());
  }
  return std::unique_ptr<Student>(new Student(std::move(stem), normalisation, graphs,
                                              std::move(stream).take(), std::move(moments)));
}

Student::Student(std::shared_ptr<const Stem> stem, const Normalisation& normalisation, Index graphs,
                 Stream stream, std::vector<Event> moments)
    : stem_(std::move(stem)),
      graphs_(stem_, normalisation, graphs),
      stream_(std::move(stream)),
      moments_(std::move(moments)),
      results_(stem_->device->context()) {}

Status Student::check(const Request& request) const {
  if (Status status = cuda::check(request, *stem_); !status.ok()) {
    return status;
  }
  if (Status status = check_results(request, stem_->geometry); !status.ok()) {
    return status;
  }
  if (Status status = check_widths(Shape::of(request), request); !status.ok()) {
    return status;
  }
  return check_work(work_of(request, *stem_, stem_->blocks.front().fc2.in));
}

template <class Work>
Status Student::guarded(const Request& request, const Work& work) {
  if (Status status = check(request); !status.ok()) {
    return status;
  }
  const Shape shape = Shape::of(request);
  if (shape.runs == 0 || shape.tasks == 0) {  // nothing is wanted
    for (const Run& run : request.runs) {
      if (run.finite != nullptr) {
        *run.finite = true;
      }
    }
    return {};
  }
  const std::lock_guard lock(mutex_);
  if (!lost_.ok()) {
    return lost_;
  }
  Status status = work();
  if (!status.ok()) {
    const Status drained = stream_.wait();  // what was begun reads memory that the next call writes
    for (const Status& each : {status, drained}) {
      if (each.code() == Code::kDeviceLost) {
        lost_ = each;
        return each;
      }
    }
  }
  return status;
}

Status Student::reserve_for(const Call& call, Graphs::Entry*& entry, Results::Lent& results) {
  Expected<Graphs::Entry*> found = graphs_.find(call.shape(), stream_);
  if (!found.ok()) {
    return found.status();
  }
  entry = found.value();
  nodes_ = entry->graph.nodes();
  Status status = pixels_.reserve(stem_->device->context(), call.pixels());
  return status.ok() ? results_.lend(call.results(), call.sampled(), results) : status;
}

template <class Compute, class Sample>
Status Student::serve(Request& request, Results::Lent& results, const Compute& compute,
                      const Sample& sample) {
  const Geometry& geometry = stem_->geometry;
  Call call(request, geometry);
  Graphs::Entry* entry = nullptr;
  if (Status status = reserve_for(call, entry, results); !status.ok()) {
    return status;
  }
  call.write(request, geometry, graphs_, pixels_, results.device);
  const CallTables tables(call.shape(), geometry.level_count(), graphs_.tables().host());
  const std::function<Status()> steps[] = {
      [&] { return stream_.record(moments_[0]); },
      [&] { return graphs_.tables().to_device(stream_, 0, tables.given); },
      [&] { return pixels_.to_device(stream_, 0, call.pixels()); },
      [&] { return stream_.record(moments_[1]); },
      [&] { return compute(*entry); },
      [&] { return sample("decode", call.decode()); },
      [&] { return sample("upsample", call.upsample()); },
      [&] { return stream_.record(moments_[2]); },
      [&] { return graphs_.tables().to_host(stream_, tables.results, tables.size); },
      [&] { return results.to_host(stream_, call.sampled()); },
      [&] {
        for (const Call::Map& map : call.maps()) {
          Status status = stream_.copy_out(results.host.get() + map.at, map.device, map.bytes);
          if (!status.ok()) {
            return status;
          }
        }
        return Status();
      },
      [&] { return stream_.record(moments_[3]); },
      [&] { return stream_.wait(); },
      [&] { return take_times(); },
  };
  for (const std::function<Status()>& step : steps) {
    if (Status status = step(); !status.ok()) {
      return status;
    }
  }
  call.deliver(request, geometry, graphs_, results.host.get());
  return {};
}

Status Student::sample(const char* op, const Sampling& sampling) {
  return launch_sampling(stem_->device->kernels(), stream_, op, sampling);
}

Expected<Results::Block> Student::run(Request& request) {
  Results::Lent results;
  Status status = guarded(request, [&] {
    return serve(
        request, results, [&](Graphs::Entry& entry) { return entry.graph.launch(stream_); },
        [&](const char* op, const Sampling& sampling) { return sample(op, sampling); });
  });
  if (!status.ok()) {
    return status;
  }
  return std::move(results.host);
}

Status Student::capture(const Request& request) {
  return guarded(request, [&] {
    Graphs::Entry* entry = nullptr;
    Results::Lent results;
    Status status = reserve_for(Call(request, stem_->geometry), entry, results);
    return status.ok() ? graphs_.restore(stream_) : status;
  });
}

Expected<Student::Profile> Student::profile(Request& request) {
  Profile profile;
  Results::Lent results;
  std::vector<Event> between;  // one before the first step, and one behind each
  const auto mark = [&]() -> Status {
    Expected<Event> event = Event::make(stem_->device->context());
    if (!event.ok()) {
      return event.status();
    }
    between.push_back(std::move(event).take());
    return stream_.record(between.back());
  };
  const auto add = [&](const std::string& name, const Status& launched) -> Status {
    profile.emplace_back(name, 0.0f);
    return launched.ok() ? mark() : launched;
  };
  Status status = guarded(request, [&] {
    return serve(
        request, results,
        [&](Graphs::Entry& entry) {
          // While the graph runs, all its steps are asked for again, so that none waits to be
          // asked.
          Status prepared = entry.graph.launch(stream_);
          if (prepared.ok()) {
            prepared = mark();
          }
          const Addresses at(entry.plan, graphs_.arena().data());
          for (const Plan::Step& step : entry.plan.steps()) {
            if (!prepared.ok()) {
              break;
            }
            const std::vector<std::byte> args = step.args(at);
            prepared = add(step.kernel.name, stream_.launch(step.kernel, step.grid, args.data()));
          }
          return prepared;
        },
        [&](const char* op, const Sampling& sampling) {
          return sampling.count == 0 ? Status() : add(op, sample(op, sampling));
        });
  });
  for (std::size_t i = 0; i < profile.size() && status.ok(); ++i) {
    const Expected<float> time = between[i + 1].since(between[i]);
    status = time.ok() ? Status() : time.status();
    profile[i].second = time.ok() ? time.value() : 0.0f;
  }
  if (!status.ok()) {
    return status;
  }
  return profile;
}

Status Student::take_times() const {
  Times times;
  float* const spans[] = {&times.upload, &times.device, &times.download};
  for (std::size_t i = 0; i < std::size(spans); ++i) {
    Expected<float> span = moments_[i + 1].since(moments_[i]);
    if (!span.ok()) {
      return span.status();
    }
    *spans[i] = span.value();
  }
  taken = {this, times};
  return {};
}

Student::Times Student::times() const { return taken.student == this ? taken.times : Times(); }

Index Student::memory() const {
  const std::lock_guard lock(mutex_);
  return graphs_.memory() + pixels_.memory() + results_.memory();
}

Index Student::kept() const {
  const std::lock_guard lock(mutex_);
  return graphs_.kept();
}

int Student::nodes() const {
  const std::lock_guard lock(mutex_);
  return nodes_;
}

}  // namespace sakedge::cuda
