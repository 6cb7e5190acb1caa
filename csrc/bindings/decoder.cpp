#include "decoder/decoder.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/results.h"
#include "bindings/whole.h"
#include "bindings/window.h"
#include "core/limits.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

std::unique_ptr<Decoder> make_decoder(const Geometry& geometry, std::shared_ptr<ThreadPool> pool) {
  return value_of(Decoder::make(active_kernels().kernels, geometry, std::move(pool)));
}

// What is wanted of every task of every image.
struct Wanted {
  bool values, logits, maps;
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
  std::vector<ResultArrays> results;
  results.reserve(images.size());
  for (ImageRequest& image : images) {
    results.emplace_back(geometry, image).add_outputs(geometry, wanted, image);
  }
  raise_unless_ok(without_gil([&] { return decoder.run(images); }));
  py::list all;
  for (const ResultArrays& each : results) {
    all.append(each.result());
  }
  return all;
}

}  // namespace

void bind_decoder(py::module_& module) {
  seal(whole_class<Decoder>(module, "Decoder")
           .def(py::init(&make_decoder), py::arg("geometry"), py::arg("pool"))
           .def("run", &run, py::kw_only(), py::arg("stem").noconvert(), py::arg("rows"),
                py::arg("snapshots"), py::arg("windows"), py::arg("values"), py::arg("logits"),
                py::arg("maps"), py::arg("min_weight")));
}

}  // namespace sakedge::bindings
