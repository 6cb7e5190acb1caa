#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "core/index.h"

// The arrays that the results of a run go to, whatever computes it. A Run has a snapshot, a window
// and where its outputs, its routing and whether all is finite go; a Wanted has values, logits and
// maps.
namespace sakedge::bindings {

// Bytes of these arrays, for a run that was found to be valid.
template <class Run, class Geometry, class Wanted>
double result_bytes(const Run& run, const Geometry& geometry, const Wanted& wanted) {
  const Size routing{geometry.level_count(), run.snapshot->experts()};
  double bytes = bytes_of(run.snapshot->task_count(), routing);
  for (const auto& task : run.snapshot->tasks) {
    const Index classes = task.head->classes;
    bytes += wanted.values ? bytes_of(*task.decoder, {run.window.height, run.window.width}) : 0.0;
    bytes += wanted.logits ? bytes_of(classes, geometry.input) : 0.0;
    bytes += wanted.maps ? bytes_of(classes, geometry.map()) : 0.0;
  }
  return bytes;
}

// The arrays of one run: values, logits and maps, each a list by task, empty where not wanted.
class ResultArrays {
 public:
  // Makes them, and has the run write there.
  template <class Run, class Geometry, class Wanted>
  ResultArrays(const Geometry& geometry, const Wanted& wanted, Run& run)
      : routing_({run.snapshot->task_count(), geometry.level_count(), run.snapshot->experts()}) {
    run.routing = routing_.mutable_data();
    run.finite = finite_.get();
    for (const auto& task : run.snapshot->tasks) {
      const Index classes = task.head->classes;
      auto& output = run.outputs.emplace_back();
      if (wanted.values) {
        output.values =
            added(values_, values_array(*task.decoder, {run.window.height, run.window.width}));
      }
      if (wanted.logits) {
        const std::vector<Index> shape = {classes, geometry.input.height, geometry.input.width};
        output.logits = static_cast<float*>(added(logits_, pybind11::array_t<float>(shape)));
      }
      if (wanted.maps) {
        const std::vector<Index> shape = {geometry.map().height, geometry.map().width, classes};
        output.map = static_cast<float*>(added(maps_, pybind11::array_t<float>(shape)));
      }
    }
  }

  // They, the routing, and whether all of it is finite.
  pybind11::tuple result() const {
    return pybind11::make_tuple(values_, logits_, maps_, routing_, *finite_);
  }

 private:
  static void* added(pybind11::list& list, pybind11::array array) {
    void* data = array.mutable_data();
    list.append(std::move(array));
    return data;
  }

  pybind11::list values_, logits_, maps_;
  pybind11::array_t<float> routing_;  // [tasks, levels, experts]
  std::unique_ptr<bool> finite_ = std::make_unique<bool>(true);
};

}  // namespace sakedge::bindings
