#include "cuda/student/device.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind.h"
#include "bindings/whole.h"
#include "bindings/window.h"
#include "cuda/bindings/bind.h"
#include "cuda/bindings/dlpack.h"
#include "cuda/student/geometry.h"

namespace py = pybind11;
using namespace sakedge::bindings;

namespace sakedge::cuda::bindings {
namespace {

py::dict described(const DeviceInfo& info) {
  using namespace py::literals;
  return py::dict("name"_a = info.name, "ordinal"_a = info.ordinal, "major"_a = info.major,
                  "minor"_a = info.minor, "multiprocessors"_a = info.multiprocessors,
                  "memory"_a = info.memory, "shared"_a = info.shared,
                  "integrated"_a = info.integrated, "driver"_a = info.driver_version);
}

py::list list_devices() {
  py::list all;
  for (const DeviceInfo& info : value_of(without_gil([] { return devices(); }))) {
    all.append(described(info));
  }
  return all;
}

std::shared_ptr<Device> make_device(int ordinal, const py::bytes& image,
                                    std::map<std::string, std::string> tiles) {
  char* data = nullptr;
  py::ssize_t size = 0;
  if (PyBytes_AsStringAndSize(image.ptr(), &data, &size) != 0) {
    throw py::error_already_set();
  }
  const auto bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  return value_of(without_gil([&] { return Device::make(ordinal, bytes, std::move(tiles)); }));
}

std::pair<Index, Index> memory_of(const Device& device) {
  const Context::Memory memory = value_of(without_gil([&] { return device.context()->memory(); }));
  return {memory.free, memory.total};
}

// A picture that lies on the device, as an array.
py::array_t<std::uint8_t> download(Device& device, const py::capsule& capsule) {
  const DevicePicture picture(capsule, device);
  const PictureSource& source = picture.source();
  require(source.type == PictureSource::kUint8, "download: expected a picture of uint8");
  py::array_t<std::uint8_t> array(std::vector<Index>{source.height, source.width, 3});
  auto* to = reinterpret_cast<std::byte*>(array.mutable_data());
  const auto* from = static_cast<const std::byte*>(source.pixels);
  raise_unless_ok(without_gil([&] { return device.download(to, from, source.bytes()); }));
  return array;
}

std::shared_ptr<Geometry> make_geometry(Index channels, Index blocks, Index heads,
                                        std::vector<Index> levels, const SizeArguments& grid,
                                        const SizeArguments& input_size) {
  return std::make_shared<Geometry>(value_of(Geometry::make(
      {channels, blocks, std::move(levels)}, heads, size_from(grid), size_from(input_size))));
}

}  // namespace

void bind_device(py::module_& module) {
  module.def("devices", &list_devices);
  seal(whole_class<Device>(module, "Device")
           .def(py::init(&make_device), py::arg("ordinal"), py::arg("image"), py::arg("tiles"))
           .def_property_readonly("info",
                                  [](const Device& device) { return described(device.info()); })
           .def_property_readonly("stream",
                                  [](const Device& device) {
                                    return reinterpret_cast<std::uintptr_t>(device.stream());
                                  })
           .def("memory", &memory_of)
           .def("download", &download, py::arg("picture")));
  seal(whole_class<Geometry>(module, "Geometry")
           .def(py::init(&make_geometry), py::kw_only(), py::arg("channels"), py::arg("blocks"),
                py::arg("heads"), py::arg("levels"), py::arg("grid"), py::arg("input_size")));
}

}  // namespace sakedge::cuda::bindings
