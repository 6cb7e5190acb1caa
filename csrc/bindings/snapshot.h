#pragma once

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"

namespace sakedge::bindings {

// Binds the snapshot of whatever computes these parts.
template <class Snapshot, class AdapterPath, class Head, class Router>
void bind_snapshot_of(pybind11::module_& module) {
  // Family of the decoder, head, router.
  using Task = std::tuple<std::string, std::shared_ptr<Head>, std::shared_ptr<Router>>;
  const auto make = [](const std::vector<std::shared_ptr<AdapterPath>>& paths,
                       const std::vector<Task>& tasks) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->paths.assign(paths.begin(), paths.end());
    for (const auto& [family, head, router] : tasks) {
      require(head != nullptr, "snapshot: a task without a head");
      snapshot->tasks.push_back({&decoder_of(family, head->classes), head, router});
    }
    return snapshot;
  };
  seal(whole_class<Snapshot>(module, "Snapshot")
           .def(pybind11::init(make), pybind11::arg("paths"), pybind11::arg("tasks")));
}

}  // namespace sakedge::bindings
