#pragma once

#include <vector>

#include "cuda/launch/heads.h"
#include "cuda/student/graphs.h"

namespace sakedge::cuda {

// What a call has in the memory of a student: pictures, tables and results, laid out.
class Call {
 public:
  // Sizes alone, so that memory can be reserved.
  Call(const Request& request, const Geometry& geometry);

  const Shape& shape() const { return shape_; }
  Index pixels() const { return pixels_; }    // bytes of the pictures that come from the host
  Index sampled() const { return sampled_; }  // bytes of values and logits
  Index results() const { return results_; }  // bytes of these and the maps

  // Writes tables and pictures: `maps` as the graph leaves them, a mirror with room for the pixels,
  // where the results are to lie on the device.
  void write(const Request& request, const Geometry& geometry, const Graphs& graphs,
             const Mirror& pixels, std::byte* results);

  // What is launched after the graph.
  const Sampling& decode() const { return decode_; }
  const Sampling& upsample() const { return upsample_; }

  // Says in the request where the results lie, once they are on the host, and writes the routing.
  void deliver(Request& request, const Geometry& geometry, const Graphs& graphs,
               std::byte* results) const;

  // A map that is wanted: where it lies on the device, and in the results on the host.
  struct Map {
    const float* device;
    Index at;
    Index bytes;
  };
  const std::vector<Map>& maps() const { return maps_; }

 private:
  // Of a task of a run: bytes from the beginning of the results.
  struct Place {
    Index values = 0;
    Index logits = 0;
    Index map = 0;
  };
  const Place& place(Index run, Index task) const {
    return places_[static_cast<std::size_t>(run * shape_.tasks + task)];
  }
  void write_pictures(const Request& request, const CallTables& tables, const Mirror& pixels) const;

  Shape shape_;
  std::vector<Place> places_;
  Index pixels_ = 0;
  Index sampled_ = 0;
  Index results_ = 0;
  Sampling decode_;
  Sampling upsample_;
  std::vector<Map> maps_;
};

}  // namespace sakedge::cuda
