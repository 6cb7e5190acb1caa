#include "cuda/plan/graph.h"

#include <utility>

namespace sakedge::cuda {
namespace {

// The graph that is instantiated; not needed afterwards.
class Draft {
 public:
  explicit Draft(const Context& context) : context_(context) {}
  ~Draft() {
    if (graph_ != nullptr) {
      context_.driver().cuGraphDestroy(graph_);
    }
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  Status begin() { return SAKEDGE_CALL(context_, cuGraphCreate, &graph_, 0); }

  Status add(const Plan::Step& step, const Addresses& at) {
    std::vector<std::byte> args = step.args(at);
    void* parameters[] = {args.data()};
    CUDA_KERNEL_NODE_PARAMS node = {};
    node.func = step.kernel.function;
    node.gridDimX = static_cast<unsigned>(step.grid.x);
    node.gridDimY = static_cast<unsigned>(step.grid.y);
    node.gridDimZ = static_cast<unsigned>(step.grid.z);
    node.blockDimX = static_cast<unsigned>(step.kernel.threads);
    node.blockDimY = 1;
    node.blockDimZ = 1;
    node.sharedMemBytes = static_cast<unsigned>(step.kernel.shared);
    node.kernelParams = parameters;  // copied by the call
    std::vector<CUgraphNode> after;
    after.reserve(step.after.size());
    for (const int s : step.after) {
      after.push_back(nodes_[static_cast<std::size_t>(s)]);
    }
    nodes_.push_back(nullptr);
    edges_ += static_cast<int>(after.size());
    return SAKEDGE_CALL(context_, cuGraphAddKernelNode_v2, &nodes_.back(), graph_, after.data(),
                        after.size(), &node);
  }

  Status instantiate(CUgraphExec& exec) {
    return SAKEDGE_CALL(context_, cuGraphInstantiateWithFlags, &exec, graph_, 0);
  }

  int nodes() const { return static_cast<int>(nodes_.size()); }
  int edges() const { return edges_; }

 private:
  const Context& context_;
  CUgraph graph_ = nullptr;
  std::vector<CUgraphNode> nodes_;
  int edges_ = 0;
};

}  // namespace

Expected<Graph> Graph::make(std::shared_ptr<Context> context, const Plan& plan,
                            const DeviceMemory& arena) {
  if (arena.size() < plan.arena_size()) {
    return Status(Code::kInvalid, "expected an arena of " + std::to_string(plan.arena_size()) +
                                      " bytes, got " + std::to_string(arena.size()));
  }
  const Current current(*context);
  const Addresses at(plan, arena.data());
  Draft draft(*context);
  Status status = draft.begin();
  for (std::size_t s = 0; s < plan.steps().size() && status.ok(); ++s) {
    status = draft.add(plan.steps()[s], at);
    if (!status.ok()) {
      status = Status(status.code(), plan.steps()[s].kernel.name + ": " + status.message());
    }
  }
  CUgraphExec exec = nullptr;
  if (status.ok()) {
    status = draft.instantiate(exec);
  }
  if (!status.ok()) {
    return status;
  }
  return Graph(std::move(context), exec, draft.nodes(), draft.edges());
}

Graph::Graph(std::shared_ptr<Context> context, CUgraphExec handle, int nodes, int edges)
    : context_(std::move(context)), handle_(handle), nodes_(nodes), edges_(edges) {}

Graph::Graph(Graph&& other) noexcept { *this = std::move(other); }

Graph& Graph::operator=(Graph&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(handle_, other.handle_);
  std::swap(nodes_, other.nodes_);
  std::swap(edges_, other.edges_);
  return *this;
}

Graph::~Graph() {
  if (handle_ != nullptr) {
    const Current current(*context_);
    context_->driver().cuGraphExecDestroy(handle_);
  }
}

Status Graph::upload(Stream& stream) {
  const Current current(*context_);
  return SAKEDGE_CALL(*context_, cuGraphUpload, handle_, stream.handle());
}

Status Graph::launch(Stream& stream) {
  const Current current(*context_);
  return SAKEDGE_CALL(*context_, cuGraphLaunch, handle_, stream.handle());
}

}  // namespace sakedge::cuda
