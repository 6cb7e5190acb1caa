#include "bindings/snapshot.h"

#include "cuda/bindings/bind.h"
#include "cuda/student/snapshot.h"

namespace sakedge::cuda::bindings {

void bind_snapshot(pybind11::module_& module) {
  sakedge::bindings::bind_snapshot_of<Snapshot, AdapterPath, HeadPart, Router>(module);
}

}  // namespace sakedge::cuda::bindings
