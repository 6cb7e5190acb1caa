#include "decoder/decoder.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/window.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

std::unique_ptr<Decoder> make(const Geometry& geometry, const std::string& arithmetic,
                              std::shared_ptr<ThreadPool> pool) {
  auto decoder =
      Decoder::make(active_kernels().kernels, arithmetic_of(arithmetic), geometry, std::move(pool));
  if (!decoder.ok()) {
    raise_unless_ok(decoder.status());
  }
  return std::move(decoder).take();
}

// What is wanted of every task of every image.
struct Wanted {
  bool values, logits, maps;
};

// The arrays that one image's results go to, one per task, or None where not wanted.
struct Arrays {
  py::list values, logits, maps;
  py::array_t<float> routing;  // [tasks, levels, experts]
  std::unique_ptr<bool> finite = std::make_unique<bool>(true);

  Arrays(const Snapshot& snapshot, const Geometry& geometry, const Window& window, Wanted wanted,
         ImageRequest& request)
      : routing({snapshot.task_count(), geometry.level_count(), snapshot.experts()}) {
    request.routing = routing.mutable_data();
    request.finite = finite.get();
    for (const TaskParts& task : snapshot.tasks) {
      const Index classes = task.head->classes;
      Output output;
      if (wanted.values) {
        output.values = added(values, values_array(*task.decoder, window.height, window.width));
      }
      if (wanted.logits) {
        const std::vector<Index> shape = {classes, geometry.input.height, geometry.input.width};
        output.logits = static_cast<float*>(added(logits, py::array_t<float>(shape)));
      }
      if (wanted.maps) {
        const std::vector<Index> shape = {geometry.map().height, geometry.map().width, classes};
        output.map = static_cast<float*>(added(maps, py::array_t<float>(shape)));
      }
      request.outputs.push_back(output);
    }
  }

 private:
  static void* added(py::list& list, py::array array) {
    void* data = array.mutable_data();
    list.append(std::move(array));
    return data;
  }
};

// For each image its values, logits and maps, each a list by task, empty where not wanted, its
// routing, and whether all of it is finite.
py::list run(Decoder& decoder, const std::vector<Floats>& stem,
             const std::vector<std::shared_ptr<Snapshot>>& snapshots,
             const std::vector<WindowArguments>& windows, bool values, bool logits, bool maps,
             float min_weight) {
  const Geometry& geometry = decoder.geometry();
  const auto batch = static_cast<Index>(snapshots.size());
  const Index rows = 1 + geometry.tokens();
  require(windows.size() == snapshots.size(), "run: as many windows as snapshots are needed");
  for (const Floats& x : stem) {
    require(x.ndim() == 3 && x.shape(0) == batch && x.shape(1) == rows &&
                x.shape(2) == geometry.channels,
            "run: a stem output's shape does not fit");
  }
  std::vector<ImageRequest> images(snapshots.size());
  std::vector<Arrays> results;
  results.reserve(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    require(snapshots[i] != nullptr, "run: an image without a snapshot");
    ImageRequest& image = images[i];
    for (const Floats& x : stem) {
      image.stem.push_back(x.data() + static_cast<Index>(i) * rows * geometry.channels);
    }
    image.snapshot = snapshots[i].get();
    image.window = window_from(windows[i]);
    image.min_weight = min_weight;
    results.emplace_back(*image.snapshot, geometry, image.window, Wanted{values, logits, maps},
                         image);
  }
  const Status status = [&] {
    const py::gil_scoped_release release;
    return decoder.run(images);
  }();
  raise_unless_ok(status);
  py::list all;
  for (Arrays& each : results) {
    all.append(py::make_tuple(each.values, each.logits, each.maps, each.routing, *each.finite));
  }
  return all;
}

}  // namespace

void bind_decoder(py::module_& module) {
  py::class_<Decoder, py::smart_holder>(module, "Decoder")
      .def(py::init(&make), py::arg("geometry"), py::arg("arithmetic"), py::arg("pool"))
      .def("run", &run, py::kw_only(), py::arg("stem").noconvert(), py::arg("snapshots"),
           py::arg("windows"), py::arg("values"), py::arg("logits"), py::arg("maps"),
           py::arg("min_weight"));
}

}  // namespace sakedge::bindings
