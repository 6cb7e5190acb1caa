#include "bindings/snapshot.h"

#include "decoder/snapshot.h"

namespace sakedge::bindings {

void bind_snapshot(pybind11::module_& module) {
  bind_snapshot_of<Snapshot, AdapterPath, Head, Router>(module);
}

}  // namespace sakedge::bindings
