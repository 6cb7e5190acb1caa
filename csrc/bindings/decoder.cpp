#include "decoder/decoder.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

using TaskArguments = std::tuple<std::string, std::shared_ptr<Head>, std::shared_ptr<Router>>;
using WindowArguments = std::tuple<Index, Index, double, double, double, double>;

Kind kind_of(const std::string& name) {
  const std::pair<const char*, Kind> kinds[] = {{"labels", Kind::kLabels},
                                                {"probability", Kind::kProbability},
                                                {"two_class", Kind::kTwoClass},
                                                {"normals", Kind::kNormals},
                                                {"scalar", Kind::kScalar}};
  for (const auto& [known, kind] : kinds) {
    if (name == known) {
      return kind;
    }
  }
  throw py::value_error("no task kind " + name);
}

std::unique_ptr<Decoder> make(const Geometry& geometry, const std::string& arithmetic,
                              const std::vector<TaskArguments>& tasks, int threads) {
  std::vector<TaskPart> parts;
  parts.reserve(tasks.size());
  for (const auto& [kind, head, router] : tasks) {
    parts.push_back({kind_of(kind), head, router});
  }
  auto decoder = Decoder::make(active_kernels().kernels, arithmetic_of(arithmetic), geometry,
                               std::move(parts), threads);
  if (!decoder.ok()) {
    raise_unless_ok(decoder.status());
  }
  return std::move(decoder).take();
}

// An uninitialised array for the decoded values of a task.
py::array values_array(const TaskPart& task, const Window& window) {
  std::vector<Index> shape = {window.height, window.width};
  if (task.kind == Kind::kNormals) {
    shape.push_back(3);
  }
  if (task.kind != Kind::kLabels) {
    return py::array_t<float>(shape);
  }
  return task.head->classes > 256 ? py::array(py::array_t<std::uint16_t>(shape))
                                  : py::array(py::array_t<std::uint8_t>(shape));
}

// Results in the order image, task; None where not asked for.
py::tuple run(Decoder& decoder, const std::vector<Floats>& features,
              const std::vector<Index>& tasks,
              const py::array_t<std::uint8_t, py::array::c_style>& wanted,
              const std::vector<WindowArguments>& windows, bool decode, bool logits,
              float min_weight) {
  const Geometry& g = decoder.geometry();
  Request request;
  request.batch = static_cast<Index>(windows.size());
  for (const Floats& x : features) {
    require(x.ndim() == 3 && x.shape(0) == request.batch && x.shape(1) == 1 + g.tokens() &&
                x.shape(2) == g.channels,
            "run: a feature map's shape does not fit");
    request.features.push_back(x.data());
  }
  require(wanted.ndim() == 2 && wanted.shape(0) == request.batch && wanted.shape(1) == g.adapters,
          "run: the adapter mask's shape does not fit");
  request.wanted = wanted.data();
  for (const auto& [height, width, top, left, scale_y, scale_x] : windows) {
    require(height >= 0 && width >= 0, "run: a window of negative size");
    request.windows.push_back({height, width, top, left, scale_y, scale_x});
  }
  request.min_weight = min_weight;

  py::list values_list;
  py::list logits_list;
  for (const Window& window : request.windows) {
    for (const Index task : tasks) {
      require(task >= 0 && task < static_cast<Index>(decoder.tasks().size()), "run: no such task");
      const TaskPart& part = decoder.tasks()[static_cast<std::size_t>(task)];
      Output output;
      py::object value = py::none();
      py::object logit = py::none();
      if (decode) {
        auto array = values_array(part, window);
        output.values = array.mutable_data();
        value = std::move(array);
      }
      if (logits) {
        py::array_t<float> array({part.head->classes, g.input_height, g.input_width});
        output.logits = array.mutable_data();
        logit = std::move(array);
      }
      values_list.append(value);
      logits_list.append(logit);
      request.outputs.push_back(output);
    }
  }
  request.tasks = tasks;
  py::array_t<float> routing(
      {request.batch, static_cast<Index>(tasks.size()), g.level_count(), g.experts()});
  request.routing = routing.mutable_data();
  const Status status = [&] {
    const py::gil_scoped_release release;
    return decoder.run(request);
  }();
  raise_unless_ok(status);
  return py::make_tuple(values_list, logits_list, routing);
}

void exchange(Decoder& decoder, Index adapter, std::shared_ptr<AdapterPath> path) {
  const Status status = [&] {
    const py::gil_scoped_release release;
    return decoder.exchange(adapter, std::move(path));
  }();
  raise_unless_ok(status);
}

std::vector<bool> present(const Decoder& decoder) {
  const std::shared_ptr<const Slots> slots = decoder.slots();
  std::vector<bool> result;
  result.reserve(slots->size());
  for (const auto& path : *slots) {
    result.push_back(path != nullptr);
  }
  return result;
}

}  // namespace

void bind_decoder(py::module_& module) {
  py::class_<Decoder, py::smart_holder>(module, "Decoder")
      .def(py::init(&make), py::arg("geometry"), py::arg("arithmetic"), py::arg("tasks"),
           py::arg("threads"))
      .def("exchange", &exchange, py::arg("adapter"), py::arg("path").none(true))
      .def("present", &present)
      .def("run", &run, py::kw_only(), py::arg("features").noconvert(), py::arg("tasks"),
           py::arg("wanted").noconvert(), py::arg("windows"), py::arg("decode"), py::arg("logits"),
           py::arg("min_weight"));
}

}  // namespace sakedge::bindings
