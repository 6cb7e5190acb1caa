#include "decoder/weights/adapter_path.h"

#include <algorithm>

namespace sakedge {

Status check(const PathSource& source, const Geometry& geometry) {
  const Index channels = geometry.channels;
  if (static_cast<Index>(source.blocks.size()) != geometry.blocks + 1 ||
      static_cast<Index>(source.norms.size()) != geometry.level_count()) {
    return {Code::kInvalid, "adapter path: expected " + std::to_string(geometry.blocks + 1) +
                                " adapters and " + std::to_string(geometry.level_count()) +
                                " norms, got " + std::to_string(source.blocks.size()) + " and " +
                                std::to_string(source.norms.size())};
  }
  for (const AdapterSource& adapter : source.blocks) {
    Status status = check(adapter.down, channels, 0, "adapter down");
    if (status.ok()) {
      status = check(adapter.up, adapter.down.weight.columns, channels, "adapter up");
    }
    if (!status.ok()) {
      return status;
    }
  }
  for (const NormSource& norm : source.norms) {
    if (Status status = check(norm, channels, "adapter norm"); !status.ok()) {
      return status;
    }
  }
  return {};
}

Expected<std::shared_ptr<const AdapterPath>> AdapterPath::pack(const cpu::KernelTable& kernels,
                                                               Arithmetic arithmetic,
                                                               const Geometry& geometry,
                                                               const PathSource& source) {
  if (Status status = check(source, geometry); !status.ok()) {
    return status;
  }
  const cpu::PackedKernels& packing = select(kernels, arithmetic);
  auto path = std::make_shared<AdapterPath>();
  path->arithmetic = arithmetic;
  path->stem = geometry;
  for (const AdapterSource& adapter : source.blocks) {
    path->blocks.push_back(
        {Linear::from(packing, adapter.down), Linear::from(packing, adapter.up)});
    path->hidden = std::max(path->hidden, adapter.down.weight.columns);
  }
  for (const NormSource& norm : source.norms) {
    path->norms.push_back(Norm::from(norm));
  }
  return std::shared_ptr<const AdapterPath>(std::move(path));
}

}  // namespace sakedge
