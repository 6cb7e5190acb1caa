#include "decoder/head.h"

#include <algorithm>

namespace sakedge {
namespace {

constexpr Index kTaps = 9;

Status validate(const Geometry& geometry, const HeadSource& source, Index width) {
  if (static_cast<Index>(source.linears.size()) != geometry.level_count()) {
    return {Code::kInvalid, "head: expected " + std::to_string(geometry.level_count()) +
                                " level linears, got " + std::to_string(source.linears.size())};
  }
  for (const LinearSource& linear : source.linears) {
    if (Status status = check(linear, geometry.channels, 0, "head linear"); !status.ok()) {
      return status;
    }
  }
  const View<const float>& fuse = source.fuse;
  if (fuse.rows < 1 || fuse.columns != kTaps * width ||
      static_cast<Index>(source.fuse_bias.size()) != fuse.rows) {
    return {Code::kInvalid, "head fuse: expected [F, " + std::to_string(kTaps * width) +
                                "], got [" + std::to_string(fuse.rows) + ", " +
                                std::to_string(fuse.columns) + "] and a bias of " +
                                std::to_string(source.fuse_bias.size())};
  }
  return check(source.last, fuse.rows, 0, "head last");
}

}  // namespace

Expected<std::shared_ptr<const Head>> Head::pack(const cpu::KernelTable& kernels,
                                                 const Geometry& geometry,
                                                 const HeadSource& source) {
  Index width = 0;
  for (const LinearSource& linear : source.linears) {
    width += linear.weight.columns;
  }
  if (Status status = validate(geometry, source, width); !status.ok()) {
    return status;
  }
  auto head = std::make_shared<Head>();
  head->width = width;
  head->classes = source.last.weight.columns;
  head->fuse_bias.assign(source.fuse_bias.begin(), source.fuse_bias.end());
  head->last_bias.assign(source.last.bias.begin(), source.last.bias.end());
  for (const LinearSource& linear : source.linears) {
    head->linears.push_back(Linear::from(kernels, linear));
  }
  for (Index first = 0; first < source.fuse.rows; first += kHeadChunk) {
    const Index count = std::min(kHeadChunk, source.fuse.rows - first);
    Head::Chunk chunk{first, count, {}, {}};
    for (Index tap = 0; tap < kTaps; ++tap) {
      // fuse[f, z, tap] as W[z, f].
      chunk.taps.push_back(Packed::from(kernels, width, count, source.fuse.row(first) + tap, kTaps,
                                        source.fuse.stride));
    }
    chunk.last = Packed::from(kernels, count, head->classes, source.last.weight.row(first),
                              source.last.weight.stride, 1);
    head->chunks.push_back(std::move(chunk));
  }
  return std::shared_ptr<const Head>(std::move(head));
}

}  // namespace sakedge
