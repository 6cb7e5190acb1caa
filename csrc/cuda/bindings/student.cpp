#include "cuda/student/student.h"

#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/results.h"
#include "bindings/whole.h"
#include "bindings/window.h"
#include "core/limits.h"
#include "cuda/bindings/bind.h"
#include "cuda/bindings/dlpack.h"

namespace py = pybind11;
using namespace sakedge::bindings;

namespace sakedge::cuda::bindings {
namespace {

using Channels = std::array<double, 3>;

std::unique_ptr<Student> make_student(const std::shared_ptr<Device>& device,
                                      const Geometry& geometry, std::shared_ptr<Stem> stem,
                                      const Channels& mean, const Channels& std, Index graphs) {
  require(stem != nullptr && stem->device == device &&
              static_cast<const StemShape&>(stem->geometry) == geometry,
          "student: expected a stem of this device and geometry");
  Normalisation normalisation{};
  for (std::size_t c = 0; c < mean.size(); ++c) {
    normalisation.mul[c] = static_cast<float>(1.0 / std[c]);
    normalisation.add[c] = static_cast<float>(-mean[c] / std[c]);
  }
  return value_of(
      without_gil([&] { return Student::make(std::move(stem), normalisation, graphs); }));
}

// The pictures of a call. Those of other libraries are held until it is over.
class Pictures {
 public:
  Pictures(const py::list& given, const Device& device) {
    held_.reserve(given.size());
    for (const py::handle each : given) {
      sources_.push_back(py::isinstance<py::tuple>(each) ? placed(py::cast<py::tuple>(each), device)
                                                         : planes(each));
    }
  }

  std::vector<PictureSource> sources() const { return sources_; }

 private:
  static PictureSource planes(py::handle given) {
    require(py::isinstance<Floats>(given), "a picture: expected an array or (pixels, top, left)");
    const auto array = py::reinterpret_borrow<Floats>(given);
    require(array.ndim() == 3 && array.shape(0) == 3,
            "a normalised input: expected float32 [3, height, width]");
    return {data_of(array), false, PictureSource::kPlanes, array.shape(1), array.shape(2), 0, 0};
  }

  PictureSource placed(const py::tuple& given, const Device& device) {
    require(given.size() == 3, "a picture: expected (pixels, top, left)");
    PictureSource source;
    if (py::isinstance<py::capsule>(given[0])) {
      held_.emplace_back(py::cast<py::capsule>(given[0]), device);
      source = held_.back().source();
    } else {
      source = pixels(given[0]);
    }
    source.top = py::cast<Index>(given[1]);
    source.left = py::cast<Index>(given[2]);
    return source;
  }

  static PictureSource pixels(py::handle given) {
    require(py::isinstance<py::array>(given), "a picture: expected an array of pixels");
    const auto array = py::reinterpret_borrow<py::array>(given);
    constexpr int kWanted =
        py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    require(array.ndim() == 3 && array.shape(2) == 3 && (array.flags() & kWanted) == kWanted,
            "a picture: expected a dense array [height, width, 3]");
    const int type = py::isinstance<py::array_t<std::uint8_t>>(given)    ? PictureSource::kUint8
                     : py::isinstance<py::array_t<std::uint16_t>>(given) ? PictureSource::kUint16
                                                                         : PictureSource::kFloat;
    require(type != PictureSource::kFloat || py::isinstance<py::array_t<float>>(given),
            "a picture: expected uint8, uint16 or float32");
    return {array.data(), false, type, array.shape(0), array.shape(1), 0, 0};
  }

  std::vector<PictureSource> sources_;
  std::vector<DevicePicture> held_;
};

// A call and the arrays of its results. Those of the tasks are views of the memory that the device
// wrote to: nothing is copied.
struct Call {
  Request request;
  std::vector<ResultArrays> results;

  Call(const Student& student, const Pictures& pictures, const std::vector<Index>& rows,
       const std::vector<std::shared_ptr<Snapshot>>& snapshots,
       const std::vector<WindowArguments>& windows, Wanted wanted, float min_weight) {
    const Geometry& geometry = student.stem().geometry;
    require(windows.size() == snapshots.size() && rows.size() == snapshots.size(),
            "run: as many rows and windows as snapshots are needed");
    request.pictures = pictures.sources();
    request.wanted = wanted;
    request.min_weight = min_weight;
    for (std::size_t i = 0; i < snapshots.size(); ++i) {
      request.runs.push_back(
          {rows[i], snapshots[i], window_from(windows[i]), {}, nullptr, nullptr});
    }
    raise_unless_ok(student.check(request));
    double bytes = 0.0;
    for (const Run& run : request.runs) {
      bytes += result_bytes(run, geometry, wanted);
    }
    require_memory(bytes);
    results.reserve(request.runs.size());
    for (Run& run : request.runs) {
      results.emplace_back(geometry, run);
    }
  }

  // The results of all runs, in `block`, which their arrays keep.
  py::list found(const Student& student, Results::Block block) {
    const py::capsule owner(new Results::Block(std::move(block)),
                            [](void* held) { delete static_cast<Results::Block*>(held); });
    py::list all;
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i].add_outputs(student.stem().geometry, request.wanted, request.runs[i], owner);
      all.append(results[i].result());
    }
    return all;
  }
};

py::list run(Student& student, const py::list& pictures, const std::vector<Index>& rows,
             const std::vector<std::shared_ptr<Snapshot>>& snapshots,
             const std::vector<WindowArguments>& windows, bool values, bool logits, bool maps,
             float min_weight) {
  const Pictures given(pictures, *student.stem().device);
  Call call(student, given, rows, snapshots, windows, {values, logits, maps}, min_weight);
  return call.found(student, value_of(without_gil([&] { return student.run(call.request); })));
}

Student::Profile profile(Student& student, const py::list& pictures, const std::vector<Index>& rows,
                         const std::vector<std::shared_ptr<Snapshot>>& snapshots,
                         const std::vector<WindowArguments>& windows, bool values, bool logits,
                         bool maps, float min_weight) {
  const Pictures given(pictures, *student.stem().device);
  Call call(student, given, rows, snapshots, windows, {values, logits, maps}, min_weight);
  return value_of(without_gil([&] { return student.profile(call.request); }));
}

// Of calls with these snapshots on a batch of pictures.
void capture(Student& student, Index batch, const std::vector<std::shared_ptr<Snapshot>>& snapshots,
             bool values, bool logits, bool maps, float min_weight) {
  require(batch >= 1 && batch <= kMostImages,
          "capture: expected 1 to " + std::to_string(kMostImages) + " pictures");
  const Size input = student.stem().geometry.input;
  Request request;
  request.wanted = {values, logits, maps};
  request.min_weight = min_weight;
  request.pictures.resize(static_cast<std::size_t>(batch));
  for (PictureSource& picture : request.pictures) {
    picture.height = input.height;
    picture.width = input.width;
  }
  for (const std::shared_ptr<Snapshot>& snapshot : snapshots) {
    const Index row = std::ssize(request.runs) % batch;
    request.runs.push_back({row, snapshot, {input.height, input.width}, {}, nullptr, nullptr});
  }
  raise_unless_ok(without_gil([&] { return student.capture(request); }));
}

py::dict times(const Student& student) {
  using namespace py::literals;
  const Student::Times times = student.times();
  return py::dict("upload"_a = times.upload, "device"_a = times.device,
                  "download"_a = times.download);
}

}  // namespace

void bind_student(py::module_& module) {
  const auto call = [](auto& type, const char* name, auto function) {
    type.def(name, function, py::kw_only(), py::arg("pictures"), py::arg("rows"),
             py::arg("snapshots"), py::arg("windows"), py::arg("values"), py::arg("logits"),
             py::arg("maps"), py::arg("min_weight"));
  };
  auto type = whole_class<Student>(module, "Student");
  type.def(py::init(&make_student), py::arg("device"), py::arg("geometry"), py::arg("stem"),
           py::arg("mean"), py::arg("std"), py::arg("graphs"));
  call(type, "run", &run);
  call(type, "profile", &profile);
  type.def("capture", &capture, py::arg("batch"), py::arg("snapshots"), py::kw_only(),
           py::arg("values"), py::arg("logits"), py::arg("maps"), py::arg("min_weight"))
      .def("times", &times)
      .def("memory", [](const Student& student) { return student.memory(); })
      .def("graphs",
           [](const Student& student) { return std::make_pair(student.kept(), student.most()); })
      .def("graph_nodes", [](const Student& student) { return student.nodes(); })
      .def_property_readonly("stream", [](const Student& student) {
        return reinterpret_cast<std::uintptr_t>(student.stream());
      });
  seal(type);
}

}  // namespace sakedge::cuda::bindings
