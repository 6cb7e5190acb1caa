#include "cuda/student/parts/adapter_path.h"

#include <algorithm>
#include <string>

#include "cuda/launch/paths.h"
#include "cuda/student/parts/matrix.h"
#include "decoder/weights/adapter_path.h"

namespace sakedge::cuda {

Expected<std::shared_ptr<const AdapterPath>> AdapterPath::make(std::shared_ptr<Device> device,
                                                               const Geometry& geometry,
                                                               Arithmetic arithmetic,
                                                               const PathSource& source) {
  if (Status status = check(source, geometry); !status.ok()) {
    return status;
  }
  auto part = std::make_shared<AdapterPath>(std::move(device), geometry, arithmetic);
  for (const AdapterSource& adapter : source.blocks) {
    part->hidden = std::max(part->hidden, adapter.down.weight.columns);
  }
  if (part->hidden > widest_path()) {
    return Status(Code::kInvalid, "adapter path: CUDA computes bottlenecks of at most " +
                                      std::to_string(widest_path()) + " channels, got " +
                                      std::to_string(part->hidden));
  }
  const Arithmetic type = wide(arithmetic);
  part->width = round_up(part->hidden, multiple_of(type));
  Expected<DeviceMemory> memory = filled(*part->device, [&](PartImage& image) {
    // A column of zeros before GELU adds nothing: GELU(0) = 0.
    std::vector<Linear> down;
    std::vector<Linear> up;
    for (std::size_t i = 0; i < source.blocks.size(); ++i) {
      const std::string name = "adapter " + std::to_string(i);
      down.push_back(
          put_linear(image, type, source.blocks[i].down, name + " down", {part->width, 0}));
      up.push_back(put_linear(image, type, source.blocks[i].up, name + " up", {0, part->width}));
    }
    std::vector<Norm> norms;
    norms.reserve(source.norms.size());
    for (const NormSource& norm : source.norms) {
      norms.push_back(put_norm(image, norm));
    }
    const Path path{image.put<Linear>(down), image.put<Linear>(up), image.put<Norm>(norms),
                    static_cast<int>(part->width)};
    part->path = image.put<Path>(std::span(&path, 1));
  });
  if (!memory.ok()) {
    return memory.status();
  }
  part->memory = std::move(memory).take();
  return std::shared_ptr<const AdapterPath>(std::move(part));
}

}  // namespace sakedge::cuda
