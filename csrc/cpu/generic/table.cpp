// Portable kernels: plain loops that any compiler vectorises for its baseline. One translation unit
// with everything in anonymous namespaces; no std templates (an inline function compiled here could
// become the copy that everybody else runs).
#include "cpu/generic/adapter.h"
#include "cpu/generic/decode.h"
#include "cpu/generic/gelu.h"
#include "cpu/generic/head_expand.h"
#include "cpu/generic/layer_norm.h"
#include "cpu/generic/linear.h"
#include "cpu/generic/magnitude.h"
#include "cpu/generic/mix.h"
#include "cpu/generic/router.h"

namespace sakedge::cpu {
namespace {

template <typename A>
constexpr PackedKernels packed_kernels() {
  return {packed_size<A>, pack<A>, row_size<A>, prepare<A>, linear<A>, adapter<A>, router<A>};
}

}  // namespace

extern const KernelTable kGenericTable;

// Fills every entry: the last table that others inherit from.
constexpr KernelTable kGenericTable = {
    packed_kernels<F32>(),
    packed_kernels<Bf16>(),
    packed_kernels<S8>(),
#define KERNEL(name, result, parameters) name,
#include "cpu/kernels.def"
};

}  // namespace sakedge::cpu
