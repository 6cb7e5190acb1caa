#include "machine.h"

#include "current.h"
#include "memory.h"

namespace sakedge::emulated {

std::recursive_mutex& lock() {
  static std::recursive_mutex mutex;
  return mutex;
}

Machine& machine() {
  static Machine machine;
  return machine;
}

std::vector<CUcontext>& current() {
  thread_local std::vector<CUcontext> stack;
  return stack;
}

CUresult misuse(const std::string& what, CUresult result) {
  finding(what);
  return result;
}

CUresult gone(const std::string& what) {
  return misuse(what + " that does not exist, or no longer, is used", CUDA_ERROR_INVALID_HANDLE);
}

CUresult in_context(const char* call, const std::function<CUresult(Context&)>& body) {
  const std::lock_guard guard(lock());
  if (current().empty() || current().back()->retained == 0) {
    return misuse(std::string(call) + " without a current context", CUDA_ERROR_INVALID_CONTEXT);
  }
  Context& context = *current().back();
  return context.lost != CUDA_SUCCESS ? context.lost : body(context);
}

bool exists(CUfunction function) {
  return machine().modules.any([function](const CUmod_st& module) {
    return std::any_of(module.functions.begin(), module.functions.end(),
                       [function](const auto& other) { return other.get() == function; });
  });
}

CUresult prepare(const CUDA_KERNEL_NODE_PARAMS& node, Launch& launch) {
  if (!exists(node.func)) {
    return gone("a kernel");
  }
  const CUfunc_st& function = *node.func;
  const std::string name = "launch of " + function.name;
  const unsigned grid[3] = {node.gridDimX, node.gridDimY, node.gridDimZ};
  constexpr unsigned kMost[3] = {0x7fffffff, 65535, 65535};
  for (int i = 0; i < 3; ++i) {
    if (grid[i] == 0 || grid[i] > kMost[i]) {
      return misuse(name + ": a grid of (" + std::to_string(grid[0]) + ", " +
                    std::to_string(grid[1]) + ", " + std::to_string(grid[2]) + ")");
    }
    launch.grid[i] = static_cast<int>(grid[i]);
  }
  if (node.blockDimX != static_cast<unsigned>(function.threads) || node.blockDimY != 1 ||
      node.blockDimZ != 1) {
    return misuse(name + ": expected " + std::to_string(function.threads) + " threads, got " +
                  std::to_string(node.blockDimX));
  }
  if (node.sharedMemBytes > function.shared) {
    return misuse(name + ": expected at most " + std::to_string(function.shared) +
                  " bytes of shared memory, got " + std::to_string(node.sharedMemBytes));
  }
  launch.function = node.func;
  launch.shared = node.sharedMemBytes;
  const auto* args = static_cast<const std::byte*>(node.kernelParams[0]);
  launch.args.assign(args, args + function.args);
  return CUDA_SUCCESS;
}

CUresult execute(Context& context, const Launch& launch) {
  if (!exists(launch.function)) {
    return context.lost = gone("a kernel");
  }
  Machine& m = machine();
  ++m.launches;
  if (m.launches == number("LOSE_AT")) {
    return context.lost = static_cast<CUresult>(number("LOSE_WITH"));
  }
  const CUfunc_st& function = *launch.function;
  const std::string failure = function.module->kernels->launch(
      function.name.c_str(), launch.grid, launch.shared, launch.args.data(), m.seed++);
  if (!failure.empty()) {
    finding(function.name + ": " + failure);
    return context.lost = CUDA_ERROR_LAUNCH_FAILED;
  }
  return CUDA_SUCCESS;
}

CUresult enqueue(CUstream stream, std::function<CUresult()> work) {
  if (!machine().streams.has(stream)) {
    return gone("a stream");
  }
  stream->work.push_back(std::move(work));
  return CUDA_SUCCESS;
}

CUresult work(CUstream stream, const std::function<bool()>& done) {
  const Opened opened;
  while (!stream->work.empty() && !done()) {
    const std::function<CUresult()> next = std::move(stream->work.front());
    stream->work.pop_front();
    const CUresult result = next();
    if (result != CUDA_SUCCESS) {
      stream->context->lost = result;
      stream->work.clear();
      return result;
    }
  }
  return CUDA_SUCCESS;
}

}  // namespace sakedge::emulated
