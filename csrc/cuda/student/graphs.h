#pragma once

#include <list>
#include <memory>
#include <optional>

#include "cuda/plan/graph.h"
#include "cuda/student/mirror.h"
#include "cuda/student/pipeline.h"

namespace sakedge::cuda {

// The graphs of a student, the most recently used of a bounded number of shapes, and the memory
// that they share: one runs at a time. Not safe from several threads.
class Graphs {
 public:
  // `most` is at least 1.
  Graphs(std::shared_ptr<const Stem> stem, const Normalisation& normalisation, Index most);

  // What a shape runs with; valid until the next call of this class.
  struct Entry {
    Shape shape;
    Plan plan;
    Graph graph;
  };
  // Made if it is not kept; nothing may be running. Where memory has to grow for it, the other
  // shapes keep their places, and their graphs are made again when they are next asked for. Fails
  // as plan_of, and with kDeviceMemory; other shapes can be asked for afterwards. A graph that is
  // made is sent to the device by `stream`.
  Expected<Entry*> find(const Shape& shape, Stream& stream);

  // Makes all graphs again that growing memory has taken away.
  Status restore(Stream& stream);

  const Mirror& tables() const { return tables_; }
  float* maps() const { return reinterpret_cast<float*>(maps_.data()); }
  const DeviceMemory& arena() const { return arena_; }

  Index kept() const { return std::ssize(slots_); }
  Index most() const { return most_; }
  Index memory() const { return tables_.memory() + maps_.size() + arena_.size(); }

 private:
  struct Slot {
    Shape shape;
    std::optional<Entry> entry;
  };

  Slot& slot_of(const Shape& shape);
  Expected<Entry*> make(Slot& slot, Stream& stream);
  // What `reserve` does to memory whose address graphs have in them.
  template <class Reserve>
  Status grow(const Reserve& reserve);

  std::shared_ptr<const Stem> stem_;
  Normalisation normalisation_;
  Index most_;
  Mirror tables_;
  DeviceMemory maps_;
  DeviceMemory arena_;
  std::list<Slot> slots_;  // the most recently used first
};

}  // namespace sakedge::cuda
