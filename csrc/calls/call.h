#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calls/array.h"
#include "calls/kernels.h"
#include "core/status.h"

// Every kernel by its name, on arrays: the one interface for running single kernels, used by the
// Python module sakedge_kernels and by the program of tests/kernels that runs those of another
// architecture.
namespace sakedge::calls {

// All of kernels.def, and the peaks; those of matrices once for each arithmetic, as in linear_f32.
std::vector<std::string> names();

// Runs one kernel. Fails with kInvalid if there is none of that name, if the inputs do not fit it
// or are beyond the bounds of array.h, or if it wrote outside its outputs and scratch. Throws
// std::bad_alloc.
//
//   packed_size_<a>  sizes (k, n)                                          -> bytes [1]
//   pack_<a>         weight [k, n], its transpose [n, k] or none           -> bytes, one in a float
//   row_size_<a>     size (k)                                              -> bytes [1]
//   prepare_<a>      x [m, k]                                              -> bytes, one in a float
//   linear_<a>       x [m, k], weight [k, n], bias [n] or none,
//                    y [m, n] to accumulate on or none                     -> y [m, n]
//   adapter_<a>      x, r [m, c], down [c, h], its bias, up [h, c], its bias  -> r [m, c]
//   router_<a>       x [m, c], weight [c, h], bias, gamma, beta [h], epsilon [1]  -> sum [h]
//   gelu_f32         x [n]                                                 -> y [n]
//   layer_norm_f32   x [m, c], gamma, beta [c], epsilon [1]                -> y [m, c]
//   mix_f32          inputs [experts, m, c], weights [experts]             -> y [m, c]
//   head_expand_f32  maps [9, height, width, c], rows [out_height, 3, lerp],
//                    columns [out_width, 3, lerp], bias [c], last [classes, c],
//                    its bias [classes] or none, logits to accumulate on or none
//                                                          -> logits [out_height, out_width,
//                                                          classes]
//   decode_<name>_f32, upsample_f32  map [height, width, classes], rows [out_height, lerp],
//                    columns [out_width, lerp]              -> as the kernel writes it
//   decode_planes_<name>_f32  planes [classes, pixels]      -> as the kernel writes it
//   blend_f32        map, rows, columns, row weights [out_height], column weights [out_width],
//                    planes [classes, out_height, out_width] to add to  -> planes
//   peak_<a>         rounds [1]                              -> multiplications [1]
//                    (no kernel: peak.h)
//
// A lerp is its four members. "None" is an array without elements.
Expected<Arrays> call(const Kernels& kernels, std::string_view name, const Arrays& inputs);

}  // namespace sakedge::calls
