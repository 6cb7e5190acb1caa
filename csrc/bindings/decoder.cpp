#include "decoder/decoder.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/whole.h"
#include "bindings/window.h"
#include "core/limits.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

std::unique_ptr<Decoder> make(const Geometry& geometry, std::shared_ptr<ThreadPool> pool) {
  return value_of(Decoder::make(active_kernels().kernels, geometry, std::move(pool)));
}

// What is wanted of every task of every image.
struct Wanted {
  bool values, logits, maps;
};

// Bytes of the arrays of an image that the decoder takes.
double result_bytes(const ImageRequest& image, const Geometry& geometry, Wanted wanted) {
  const Size routing{geometry.level_count(), image.snapshot->experts()};
  double bytes = bytes_of(image.snapshot->task_count(), routing);
  for (const TaskParts& task : image.snapshot->tasks) {
    const Index classes = task.head->classes;
    const Size window{image.window.height, image.window.width};
    bytes += wanted.values ? bytes_of(*task.decoder, window) : 0.0;
    bytes += wanted.logits ? bytes_of(classes, geometry.input) : 0.0;
    bytes += wanted.maps ? bytes_of(classes, geometry.map()) : 0.0;
  }
  return bytes;
}

// The arrays that one image's results go to, one per task, or None where not wanted.
struct Arrays {
  py::list values, logits, maps;
  py::array_t<float> routing;  // [tasks, levels, experts]
  std::unique_ptr<bool> finite = std::make_unique<bool>(true);

  Arrays(const Geometry& geometry, Wanted wanted, ImageRequest& request)
      : routing(
            {request.snapshot->task_count(), geometry.level_count(), request.snapshot->experts()}) {
    request.routing = routing.mutable_data();
    request.finite = finite.get();
    const Size window{request.window.height, request.window.width};
    for (const TaskParts& task : request.snapshot->tasks) {
      const Index classes = task.head->classes;
      Output output;
      if (wanted.values) {
        output.values = added(values, values_array(*task.decoder, window));
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

// Runs `snapshots`, each on the row of the stem's outputs that `rows` names: several may share one.
// For each its values, logits and maps, each a list by task, empty where not wanted, its
// routing, and whether all of it is finite.
py::list run(Decoder& decoder, const std::vector<Floats>& stem, const std::vector<Index>& rows,
             const std::vector<std::shared_ptr<Snapshot>>& snapshots,
             const std::vector<WindowArguments>& windows, bool values, bool logits, bool maps,
             float min_weight) {
  const Geometry& geometry = decoder.geometry();
  const auto runs = static_cast<Index>(snapshots.size());
  const Index batch = stem.empty() || stem.front().ndim() != 3 ? 0 : stem.front().shape(0);
  const Index tokens = 1 + geometry.tokens();
  const Wanted wanted{values, logits, maps};
  require(runs <= kMostImages,
          "run: expected at most " + std::to_string(kMostImages) + " images in a call");
  require(windows.size() == snapshots.size() && rows.size() == snapshots.size(),
          "run: as many rows and windows as snapshots are needed");
  for (const Index row : rows) {
    require(0 <= row && row < batch, "run: a row that the stem's outputs do not have");
  }
  for (const Floats& x : stem) {
    require(x.ndim() == 3 && x.shape(0) == batch && x.shape(1) == tokens &&
                x.shape(2) == geometry.channels,
            "run: a stem output's shape does not fit");
  }
  std::vector<ImageRequest> images(snapshots.size());
  double bytes = 0.0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    ImageRequest& image = images[i];
    for (const Floats& x : stem) {
      image.stem.push_back(data_of(x) + rows[i] * tokens * geometry.channels);
    }
    image.snapshot = snapshots[i].get();
    image.window = window_from(windows[i]);
    image.min_weight = min_weight;
    raise_unless_ok(decoder.check(image));
    bytes += result_bytes(image, geometry, wanted);
  }
  require_memory(bytes);
  std::vector<Arrays> results;
  results.reserve(images.size());
  for (ImageRequest& image : images) {
    results.emplace_back(geometry, wanted, image);
  }
  raise_unless_ok(without_gil([&] { return decoder.run(images); }));
  py::list all;
  for (Arrays& each : results) {
    all.append(py::make_tuple(each.values, each.logits, each.maps, each.routing, *each.finite));
  }
  return all;
}

}  // namespace

void bind_decoder(py::module_& module) {
  seal(whole_class<Decoder>(module, "Decoder")
           .def(py::init(&make), py::arg("geometry"), py::arg("pool"))
           .def("run", &run, py::kw_only(), py::arg("stem").noconvert(), py::arg("rows"),
                py::arg("snapshots"), py::arg("windows"), py::arg("values"), py::arg("logits"),
                py::arg("maps"), py::arg("min_weight")));
}

}  // namespace sakedge::bindings
