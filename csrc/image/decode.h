#pragma once

#include "core/aligned.h"
#include "core/limits.h"
#include "core/thread_pool.h"
#include "image/interpolation.h"
#include "image/pixel_decoder.h"

namespace sakedge {

// Output rows that one call of a kernel handles: enough calls to keep many threads busy.
inline constexpr Index kDecodeRows = 16;

// Rows [begin, end) of what `samples` take from a map [map height * map width, classes].
cpu::SampleArgs sample_args(const float* map, Index map_width, Index classes,
                            const Samples& samples, Index begin, Index end, float* scratch);

// Decodes a whole window of a map into `out`, which holds the window's pixels. Fails with kInvalid
// if that is too much work. Throws std::bad_alloc.
Status decode_map(const cpu::KernelTable& kernels, ThreadPool& pool, const PixelDecoder& decoder,
                  const float* map, Size map_size, Index classes, const Samples& samples,
                  void* out);

// The map at the input's size, the network's own output: [classes, samples.height, samples.width].
// Fails and throws as decode_map.
Status upsample_map(const cpu::KernelTable& kernels, ThreadPool& pool, const float* map,
                    Size map_size, Index classes, const Samples& samples, float* out);

}  // namespace sakedge
