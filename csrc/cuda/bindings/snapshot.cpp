#include "cuda/student/snapshot.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"
#include "cuda/bindings/bind.h"

namespace py = pybind11;
using namespace sakedge::bindings;

namespace sakedge::cuda::bindings {
namespace {

// Family of the decoder, head, router.
using TaskArguments = std::tuple<std::string, std::shared_ptr<HeadPart>, std::shared_ptr<Router>>;

std::shared_ptr<Snapshot> make(const std::vector<std::shared_ptr<AdapterPath>>& paths,
                               const std::vector<TaskArguments>& tasks) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->paths.assign(paths.begin(), paths.end());
  for (const auto& [family, head, router] : tasks) {
    require(head != nullptr, "snapshot: a task without a head");
    snapshot->tasks.push_back({&decoder_of(family, head->classes), head, router});
  }
  return snapshot;
}

}  // namespace

void bind_snapshot(py::module_& module) {
  seal(whole_class<Snapshot>(module, "Snapshot")
           .def(py::init(&make), py::arg("paths"), py::arg("tasks")));
}

}  // namespace sakedge::cuda::bindings
