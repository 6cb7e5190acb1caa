// The driver API: graphs.
#include <random>

#include "exported.h"
#include "machine.h"

using namespace sakedge::emulated;

namespace {

// Runs the nodes one by one in a random order that their dependencies allow: where one is missing,
// some order shows it.
CUresult run(Context& context, const std::vector<CUgraphNode_st>& nodes) {
  std::mt19937_64 random(machine().seed++);
  std::vector<std::size_t> waits_for(nodes.size());
  std::vector<std::size_t> ready;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    waits_for[n] = nodes[n].after.size();
    if (waits_for[n] == 0) {
      ready.push_back(n);
    }
  }
  while (!ready.empty()) {
    std::swap(ready[random() % ready.size()], ready.back());
    const std::size_t done = ready.back();
    ready.pop_back();
    const CUresult result = execute(context, nodes[done].launch);
    if (result != CUDA_SUCCESS) {
      return result;
    }
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      for (const std::size_t after : nodes[n].after) {
        if (after == done && --waits_for[n] == 0) {
          ready.push_back(n);
        }
      }
    }
  }
  return CUDA_SUCCESS;
}

}  // namespace

EXPORTED CUresult cuGraphCreate(CUgraph* graph, unsigned) {
  return in_context("cuGraphCreate", [&](Context& context) {
    *graph = machine().graphs.add(std::make_unique<CUgraph_st>());
    (*graph)->context = &context;
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuGraphDestroy(CUgraph graph) {
  return in_context("cuGraphDestroy",
                    [&](Context&) { return remove(machine().graphs, graph, "a graph"); });
}

EXPORTED CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph,
                                          const CUgraphNode* dependencies, std::size_t count,
                                          const CUDA_KERNEL_NODE_PARAMS* parameters) {
  return in_context("cuGraphAddKernelNode", [&](Context&) {
    if (!machine().graphs.has(graph)) {
      return gone("a graph");
    }
    auto added = std::make_unique<CUgraphNode_st>();
    for (std::size_t d = 0; d < count; ++d) {
      std::size_t n = 0;
      while (n < graph->nodes.size() && graph->nodes[n].get() != dependencies[d]) {
        ++n;
      }
      if (n == graph->nodes.size()) {
        return misuse("a node depends on one of another graph");
      }
      added->after.push_back(n);
    }
    const CUresult result = prepare(*parameters, added->launch);
    if (result == CUDA_SUCCESS) {
      *node = graph->nodes.emplace_back(std::move(added)).get();
    }
    return result;
  });
}

EXPORTED CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph,
                                              unsigned long long) {
  return in_context("cuGraphInstantiate", [&](Context& context) {
    if (!machine().graphs.has(graph)) {
      return gone("a graph");
    }
    *exec = machine().execs.add(std::make_unique<CUgraphExec_st>());
    (*exec)->context = &context;
    for (const auto& node : graph->nodes) {
      (*exec)->nodes.push_back(*node);
    }
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuGraphUpload(CUgraphExec exec, CUstream stream) {
  return in_context("cuGraphUpload", [&](Context&) {
    return machine().execs.has(exec) ? enqueue(stream, [] { return CUDA_SUCCESS; })
                                     : gone("an executable graph");
  });
}

EXPORTED CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  return in_context("cuGraphLaunch", [&](Context& context) {
    if (!machine().execs.has(exec)) {
      return gone("an executable graph");
    }
    // A graph may be destroyed once it is launched.
    return enqueue(stream, [&context, nodes = exec->nodes] { return run(context, nodes); });
  });
}

EXPORTED CUresult cuGraphExecDestroy(CUgraphExec exec) {
  return in_context("cuGraphExecDestroy",
                    [&](Context&) { return remove(machine().execs, exec, "an executable graph"); });
}
