#include "decoder/weights/head.h"

#include <algorithm>

namespace sakedge {
namespace {

Index width_of(const HeadSource& source) {
  Index width = 0;
  for (const LinearSource& linear : source.linears) {
    width += linear.weight.columns;
  }
  return width;
}

// fuse[f, z, tap] of `count` channels f as W[z, tap * count + f].
Packed pack_taps(const cpu::PackedKernels& kernels, const WeightSource& fuse, Index width,
                 Index first, Index count) {
  const Index columns = kTaps * count;
  std::vector<float> weight(static_cast<std::size_t>(width * columns));
  Index at = first * kTaps * width;
  for (Index f = 0; f < count; ++f) {
    for (Index z = 0; z < width; ++z) {
      for (Index tap = 0; tap < kTaps; ++tap) {
        weight[static_cast<std::size_t>(z * columns + tap * count + f)] = fuse.at(at++);
      }
    }
  }
  std::vector<float> scales;
  for (Index tap = 0; tap < kTaps && fuse.is_quantised(); ++tap) {
    const auto begin = fuse.scales.begin() + first;
    scales.insert(scales.end(), begin, begin + count);
  }
  return Packed::from(kernels, width, columns, weight.data(),
                      fuse.is_quantised() ? scales.data() : nullptr);
}

}  // namespace

Status check(const HeadSource& source, const Geometry& geometry) {
  if (static_cast<Index>(source.linears.size()) != geometry.level_count()) {
    return {Code::kInvalid, "head: expected " + std::to_string(geometry.level_count()) +
                                " level linears, got " + std::to_string(source.linears.size())};
  }
  for (const LinearSource& linear : source.linears) {
    if (Status status = check(linear, geometry.channels, 0, "head linear"); !status.ok()) {
      return status;
    }
  }
  const Index width = width_of(source);
  const WeightSource& fuse = source.fuse;
  if (fuse.rows < 1 || width > kMostInputs || fuse.columns != kTaps * width ||
      static_cast<Index>(source.fuse_bias.size()) != fuse.rows || !has_scales(fuse, fuse.rows)) {
    return {Code::kInvalid, "head fuse: expected [F, " + std::to_string(kTaps * width) +
                                "], got [" + std::to_string(fuse.rows) + ", " +
                                std::to_string(fuse.columns) + "] and a bias of " +
                                std::to_string(source.fuse_bias.size())};
  }
  const View<const float>& last = source.last;
  if (last.rows < 1 || last.columns != fuse.rows ||
      static_cast<Index>(source.last_bias.size()) != last.rows) {
    return {Code::kInvalid, "head last: expected [classes, " + std::to_string(fuse.rows) +
                                "], got [" + std::to_string(last.rows) + ", " +
                                std::to_string(last.columns) + "] and a bias of " +
                                std::to_string(source.last_bias.size())};
  }
  return {};
}

Expected<std::shared_ptr<const Head>> Head::pack(const cpu::KernelTable& kernels,
                                                 Arithmetic arithmetic, const Geometry& geometry,
                                                 const HeadSource& source) {
  if (Status status = check(source, geometry); !status.ok()) {
    return status;
  }
  const Index width = width_of(source);
  const cpu::PackedKernels& packing = select(kernels, arithmetic);
  auto head = std::make_shared<Head>();
  head->arithmetic = arithmetic;
  head->stem = geometry;
  head->width = width;
  head->fused = source.fuse.rows;
  head->classes = source.last.rows;
  head->fuse_bias.assign(source.fuse_bias.begin(), source.fuse_bias.end());
  head->last.assign(source.last.data, source.last.data + source.last.rows * source.last.columns);
  head->last_bias.assign(source.last_bias.begin(), source.last_bias.end());
  for (const LinearSource& linear : source.linears) {
    head->linears.push_back(Linear::from(packing, linear));
  }
  for (Index first = 0; first < head->fused; first += kHeadChunk) {
    const Index count = std::min(kHeadChunk, head->fused - first);
    head->chunks.push_back({first, count, pack_taps(packing, source.fuse, width, first, count)});
  }
  return std::shared_ptr<const Head>(std::move(head));
}

}  // namespace sakedge
