// The devices, and what was made on them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/driver/api.h"
#include "kernels.h"
#include "settings.h"

namespace sakedge::cuda {

struct CUctx_st {
  int device = 0;
  int retained = 0;
  CUresult lost = CUDA_SUCCESS;  // what every call returns from then on
};

struct CUfunc_st {
  CUmodule module = nullptr;
  std::string name;
  int threads = 0;
  std::size_t args = 0;           // bytes
  std::size_t shared = 48 << 10;  // most bytes that a launch may ask for
};

struct CUmod_st {
  CUcontext context = nullptr;
  std::shared_ptr<emulated::Kernels> kernels;
  std::vector<std::unique_ptr<CUfunc_st>> functions;
};

// Work that was asked for and not done: it is done when somebody waits for it, and no sooner.
struct CUstream_st {
  CUcontext context = nullptr;
  std::deque<std::function<CUresult()>> work;
};

struct CUevent_st {
  CUcontext context = nullptr;
  std::int64_t recorded = 0;  // how often
  std::int64_t done = 0;
  double at = 0;  // milliseconds
};

struct Launch {
  CUfunction function = nullptr;
  int grid[3] = {1, 1, 1};
  std::size_t shared = 0;
  std::vector<std::byte> args;
};

struct CUgraphNode_st {
  Launch launch;
  std::vector<std::size_t> after;
};

struct CUgraph_st {
  CUcontext context = nullptr;
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};

struct CUgraphExec_st {
  CUcontext context = nullptr;
  std::vector<CUgraphNode_st> nodes;
};

}  // namespace sakedge::cuda

namespace sakedge::emulated {

using namespace sakedge::cuda;
using Context = CUctx_st;

// Everything is done under one lock.
std::recursive_mutex& lock();

// The objects of a kind that exist.
template <class T>
class Objects {
 public:
  T* add(std::unique_ptr<T> object) { return objects_.emplace_back(std::move(object)).get(); }
  bool has(const T* object) const { return at(object) != objects_.end(); }
  void remove(const T* object) { objects_.erase(at(object)); }
  void clear() { objects_.clear(); }
  template <class Condition>
  bool any(const Condition& condition) const {
    return std::any_of(objects_.begin(), objects_.end(),
                       [&](const auto& object) { return condition(*object); });
  }
  std::size_t of(const Context* context) const {
    std::size_t count = 0;
    for (const auto& object : objects_) {
      count += object->context == context ? 1 : 0;
    }
    return count;
  }

 private:
  auto at(const T* object) const {
    return std::find_if(objects_.begin(), objects_.end(),
                        [&](const auto& other) { return other.get() == object; });
  }
  std::vector<std::unique_ptr<T>> objects_;
};

struct Machine {
  std::vector<std::unique_ptr<Context>> contexts;  // primary, of each device
  Objects<CUmod_st> modules;
  Objects<CUstream_st> streams;
  Objects<CUevent_st> events;
  Objects<CUgraph_st> graphs;
  Objects<CUgraphExec_st> execs;
  std::int64_t launches = 0;
  std::uint64_t seed = 0;  // of the next launch
  bool initialised = false;
};
Machine& machine();

// Calls body(context) with the context that is current on this thread.
CUresult in_context(const char* call, const std::function<CUresult(Context&)>& body);
// A finding that a handle is none, and what the driver returns for it.
CUresult gone(const std::string& what);
// A finding, and what the driver returns for it.
CUresult misuse(const std::string& what, CUresult result = CUDA_ERROR_INVALID_VALUE);

template <class T>
CUresult remove(Objects<T>& objects, const T* object, const char* what) {
  if (!objects.has(object)) {
    return gone(what);
  }
  objects.remove(object);
  return CUDA_SUCCESS;
}

bool exists(CUfunction function);
// A launch, checked: grid, threads and shared memory. The arguments are copied.
CUresult prepare(const CUDA_KERNEL_NODE_PARAMS& node, Launch& launch);
// Runs it now.
CUresult execute(Context& context, const Launch& launch);

// Adds work to a stream.
CUresult enqueue(CUstream stream, std::function<CUresult()> work);
// Works until `done`, or until nothing is left.
CUresult work(CUstream stream, const std::function<bool()>& done);

}  // namespace sakedge::emulated
