#include "bindings/whole.h"

namespace py = pybind11;

namespace sakedge::bindings {

PyObject* new_whole(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  py::object self = py::reinterpret_steal<py::object>(type->tp_base->tp_new(type, args, kwargs));
  if (!self || type->tp_init(self.ptr(), args, kwargs) != 0) {
    return nullptr;
  }
  return self.release().ptr();  // Python calls __init__ again, which pybind11 ignores by then
}

void seal(py::handle type) {
  auto* sealed = reinterpret_cast<PyTypeObject*>(type.ptr());
  sealed->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
  PyType_Modified(sealed);
}

}  // namespace sakedge::bindings
