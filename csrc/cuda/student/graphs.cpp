#include "cuda/student/graphs.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sakedge::cuda {
namespace {

// Bytes of tables that are there from the first call on: those of most shapes.
constexpr Index kTables = Index{64} << 10;

}  // namespace

Graphs::Graphs(std::shared_ptr<const Stem> stem, const Normalisation& normalisation, Index most)
    : stem_(std::move(stem)), normalisation_(normalisation), most_(most) {}

Expected<Graphs::Entry*> Graphs::find(const Shape& shape, Stream& stream) {
  Slot& slot = slot_of(shape);
  if (slot.entry.has_value()) {
    return &*slot.entry;
  }
  Expected<Entry*> made = make(slot, stream);
  if (!made.ok()) {
    slots_.pop_front();
  }
  return made;
}

Status Graphs::restore(Stream& stream) {
  for (Slot& slot : slots_) {
    if (!slot.entry.has_value()) {
      if (Expected<Entry*> made = make(slot, stream); !made.ok()) {
        return made.status();
      }
    }
  }
  return {};
}

// At the front.
Graphs::Slot& Graphs::slot_of(const Shape& shape) {
  const auto found = std::find_if(slots_.begin(), slots_.end(),
                                  [&](const Slot& slot) { return slot.shape == shape; });
  if (found != slots_.end()) {
    slots_.splice(slots_.begin(), slots_, found);
  } else {
    slots_.push_front({shape, std::nullopt});
    if (std::ssize(slots_) > most_) {
      slots_.pop_back();
    }
  }
  return slots_.front();
}

template <class Reserve>
Status Graphs::grow(const Reserve& reserve) {
  const auto addresses = [&] {
    return std::array<const void*, 3>{tables_.device(), maps_.data(), arena_.data()};
  };
  const auto before = addresses();
  Status status = reserve();
  if (addresses() != before) {
    for (Slot& slot : slots_) {
      slot.entry.reset();
    }
  }
  return status;
}

Expected<Graphs::Entry*> Graphs::make(Slot& slot, Stream& stream) {
  const std::shared_ptr<Context>& context = stem_->device->context();
  const Shape& shape = slot.shape;
  const Geometry& geometry = stem_->geometry;
  const Index levels = geometry.level_count();
  const Index maps =
      shape.maps ? shape.runs * shape.tasks * map_stride(shape, geometry) * Index{sizeof(float)}
                 : 0;
  Status status = grow([&] {
    Status reserved = tables_.reserve(context, std::max(kTables, CallTables(shape, levels).size));
    return reserved.ok() ? reserve(maps_, context, maps) : reserved;
  });
  if (!status.ok()) {
    return status;
  }
  Expected<Plan> plan = plan_of(stem_->device->kernels(), *stem_, normalisation_, shape,
                                {CallTables(shape, levels, tables_.device()), this->maps()});
  if (!plan.ok()) {
    return plan.status();
  }
  Plan placed = std::move(plan).take();
  const Index arena = placed.place();
  status = grow([&] { return reserve(arena_, context, arena); });
  if (!status.ok()) {
    return status;
  }
  Expected<Graph> graph = Graph::make(context, placed, arena_);
  if (!graph.ok()) {
    return graph.status();
  }
  Graph made = std::move(graph).take();
  status = made.upload(stream);
  if (status.ok()) {
    status = stream.wait();  // it goes as soon as memory has to grow for another
  }
  if (!status.ok()) {
    return status;
  }
  return &slot.entry.emplace(Entry{shape, std::move(placed), std::move(made)});
}

}  // namespace sakedge::cuda
