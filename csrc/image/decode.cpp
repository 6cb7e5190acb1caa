#include "image/decode.h"

#include <algorithm>
#include <vector>

#include "cpu/scratch.h"

namespace sakedge {
namespace {

// Calls body(args) for every band of output rows, on all workers.
template <typename Body>
Status for_bands(ThreadPool& pool, const float* map, Size map_size, Index classes,
                 const Samples& samples, const Body& body) {
  const double work = sampling_work({samples.height, samples.width}, map_size, classes);
  if (Status status = check_work(work); !status.ok()) {
    return status;
  }
  std::vector<AlignedBuffer> scratch;
  scratch.reserve(static_cast<std::size_t>(pool.threads()));
  for (int worker = 0; worker < pool.threads(); ++worker) {
    scratch.emplace_back(cpu::sample_scratch(map_size.width, classes, samples.width));
  }
  const Index bands = (samples.height + kDecodeRows - 1) / kDecodeRows;
  pool.parallel_for(bands, [&](Index band, int worker) {
    const Index begin = band * kDecodeRows;
    body(sample_args(map, map_size.width, classes, samples, begin,
                     std::min(begin + kDecodeRows, samples.height),
                     scratch[static_cast<std::size_t>(worker)].data()));
  });
  return {};
}

}  // namespace

cpu::SampleArgs sample_args(const float* map, Index map_width, Index classes,
                            const Samples& samples, Index begin, Index end, float* scratch) {
  return {map, map_width,     classes, samples.rows.data(), samples.columns.data(), begin,
          end, samples.width, scratch};
}

Status decode_map(const cpu::KernelTable& kernels, ThreadPool& pool, const PixelDecoder& decoder,
                  const float* map, Size map_size, Index classes, const Samples& samples,
                  void* out) {
  return for_bands(pool, map, map_size, classes, samples,
                   [&](const cpu::SampleArgs& args) { decoder.from_map(kernels, args, out); });
}

Status upsample_map(const cpu::KernelTable& kernels, ThreadPool& pool, const float* map,
                    Size map_size, Index classes, const Samples& samples, float* out) {
  return for_bands(pool, map, map_size, classes, samples, [&](const cpu::SampleArgs& args) {
    kernels.upsample_f32(args, samples.height * samples.width, out);
  });
}

}  // namespace sakedge
