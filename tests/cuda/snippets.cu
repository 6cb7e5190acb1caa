// The arguments of kernels that tests write in PTX.
#include "cuda/device/device.h"

namespace sakedge::cuda {

struct SnippetArgs {
  uint64_t* slots;  // [snippets, 4, count]: operands and the result
  int count;
  int unused;
};

}  // namespace sakedge::cuda

SAK_ENTRY(snippets, 1024, 1, SnippetArgs) {}
