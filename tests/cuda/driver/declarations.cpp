// Holds our declarations of the driver API to those of the real cuda.h: it compiles, or not.
#include <type_traits>

#include "cuda/driver/driver.h"

// Before cuda.h, which has macros under some of these names.
namespace ours {
using namespace sakedge::cuda;
#define FUNCTION(name, parameters) using name##_type = decltype(Driver::name);
#include "cuda/driver/functions.def"
#undef FUNCTION
}  // namespace ours

#include <cuda.h>

namespace {

// Whether a type of ours is passed and laid out as one of NVIDIA's.
template <class A, class B>
struct Like : std::is_same<A, B> {};
template <class A, class B>
  requires(std::is_enum_v<A> && std::is_enum_v<B>)
struct Like<A, B> : std::bool_constant<sizeof(A) == sizeof(B)> {};
template <class A, class B>
struct Like<A*, B*> : Like<A, B> {};
template <class A, class B>
struct Like<const A, const B> : Like<A, B> {};
template <class A, class... As, class B, class... Bs>
  requires(sizeof...(As) == sizeof...(Bs))
struct Like<A (*)(As...), B (*)(Bs...)>
    : std::bool_constant<Like<A, B>::value && (Like<As, Bs>::value && ...)> {};

#define LIKE(type) \
  template <>      \
  struct Like<ours::type, ::type> : std::true_type {};
LIKE(CUctx_st)
LIKE(CUmod_st)
LIKE(CUfunc_st)
LIKE(CUkern_st)
LIKE(CUstream_st)
LIKE(CUevent_st)
LIKE(CUgraph_st)
LIKE(CUgraphNode_st)
LIKE(CUgraphExec_st)
LIKE(CUDA_KERNEL_NODE_PARAMS)
#undef LIKE

#define FIELD(name)                                                 \
  static_assert(offsetof(ours::CUDA_KERNEL_NODE_PARAMS, name) ==    \
                offsetof(::CUDA_KERNEL_NODE_PARAMS, name));         \
  static_assert(Like<decltype(ours::CUDA_KERNEL_NODE_PARAMS::name), \
                     decltype(::CUDA_KERNEL_NODE_PARAMS::name)>::value)
FIELD(func);
FIELD(gridDimX);
FIELD(gridDimY);
FIELD(gridDimZ);
FIELD(blockDimX);
FIELD(blockDimY);
FIELD(blockDimZ);
FIELD(sharedMemBytes);
FIELD(kernelParams);
FIELD(extra);
FIELD(kern);
FIELD(ctx);
#undef FIELD
static_assert(sizeof(ours::CUDA_KERNEL_NODE_PARAMS) == sizeof(::CUDA_KERNEL_NODE_PARAMS));

// A newer cuda.h may name a newer version here: the library keeps the one that we ask for.
#define FUNCTION(name, parameters) \
  static_assert(Like<ours::name##_type, decltype(&::name)>::value, #name);
#include "cuda/driver/functions.def"
#undef FUNCTION

// A test of the test.
static_assert(!Like<ours::cuInit_type, decltype(&::cuDriverGetVersion)>::value);
static_assert(!Like<ours::cuMemFree_v2_type, decltype(&::cuMemFreeHost)>::value);

}  // namespace
