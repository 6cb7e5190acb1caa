#include <iterator>

#include "bindings/bind.h"

namespace py = pybind11;

namespace sakedge::bindings {
namespace {

PYBIND11_CONSTINIT py::gil_safe_call_once_and_store<py::object> error_type;

const char* code_name(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kInvalid:
      return "invalid";
    case Code::kExhausted:
      return "exhausted";
    case Code::kIsaUnknown:
      return "isa_unknown";
    case Code::kIsaUnsupported:
      return "isa_unsupported";
    case Code::kDriverMissing:
      return "driver_missing";
    case Code::kNoDevice:
      return "no_device";
    case Code::kDeviceMemory:
      return "device_memory";
    case Code::kDeviceLost:
      return "device_lost";
    case Code::kDriver:
      return "driver";
  }
  return "invalid";
}

// Names that messages quote may hold any bytes.
py::str text_of(const std::string& message) {
  PyObject* text = PyUnicode_DecodeUTF8(message.data(), std::ssize(message), "backslashreplace");
  if (text == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::str>(text);
}

}  // namespace

void raise_unless_ok(const Status& status) {
  if (status.ok()) {
    return;
  }
  const py::tuple arguments = py::make_tuple(code_name(status.code()), text_of(status.message()));
  PyErr_SetObject(error_type.get_stored().ptr(), arguments.ptr());
  throw py::error_already_set();
}

void require(bool condition, const std::string& what) {
  if (!condition) {
    raise_unless_ok({Code::kInvalid, what});
  }
}

void bind_errors(py::module_& module, const char* name) {
  error_type.call_once_and_store_result([&] {
    py::object type = py::reinterpret_steal<py::object>(PyErr_NewException(name, nullptr, nullptr));
    module.attr(type.attr("__name__")) = type;
    return type;
  });
}

}  // namespace sakedge::bindings
