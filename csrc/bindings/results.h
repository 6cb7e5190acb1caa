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
  // Routing and whether all is finite, which the run writes.
  template <class Run, class Geometry>
  ResultArrays(const Geometry& geometry, Run& run)
      : routing_({run.snapshot->task_count(), geometry.level_count(), run.snapshot->experts()}) {
    run.routing = routing_.mutable_data();
    run.finite = finite_.get();
  }

  // Those of the tasks: new ones where an output of the run is null, which then is where it writes;
  // else views of what it has written, which `owner` keeps.
  template <class Run, class Geometry, class Wanted>
  void add_outputs(const Geometry& geometry, const Wanted& wanted, Run& run,
                   pybind11::handle owner = {}) {
    run.outputs.resize(run.snapshot->tasks.size());
    for (std::size_t t = 0; t < run.outputs.size(); ++t) {
      const auto& task = run.snapshot->tasks[t];
      const Index classes = task.head->classes;
      auto& output = run.outputs[t];
      if (wanted.values) {
        const Size size{run.window.height, run.window.width};
        add(values_, output.values, values_array(*task.decoder, size, output.values, owner));
      }
      if (wanted.logits) {
        add(logits_, output.logits,
            floats_array({classes, geometry.input.height, geometry.input.width}, output.logits,
                         owner));
      }
      if (wanted.maps) {
        add(maps_, output.map,
            floats_array({geometry.map().height, geometry.map().width, classes}, output.map,
                         owner));
      }
    }
  }

  // They, the routing, and whether all of it is finite.
  pybind11::tuple result() const {
    return pybind11::make_tuple(values_, logits_, maps_, routing_, *finite_);
  }

 private:
  template <class Element>
  static void add(pybind11::list& list, Element*& place, pybind11::array array) {
    place = static_cast<Element*>(array.mutable_data());
    list.append(std::move(array));
  }

  pybind11::list values_, logits_, maps_;
  pybind11::array_t<float> routing_;  // [tasks, levels, experts]
  std::unique_ptr<bool> finite_ = std::make_unique<bool>(true);
};

}  // namespace sakedge::bindings
