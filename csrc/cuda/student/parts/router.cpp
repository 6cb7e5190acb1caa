#include "cuda/student/parts/router.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cuda/launch/paths.h"
#include "cuda/student/parts/matrix.h"
#include "decoder/weights/router.h"

namespace sakedge::cuda {
namespace {

// A student's [width, experts] as [experts, width].
const float* put_gate(PartImage& image, const View<const float>& gate) {
  const auto array = image.take<float>(gate.rows * gate.columns);
  for (Index i = 0; i < gate.rows && array.host != nullptr; ++i) {
    for (Index e = 0; e < gate.columns; ++e) {
      array.host[e * gate.rows + i] = gate.row(i)[e];
    }
  }
  return array.device;
}

Expected<std::shared_ptr<const Router>> with_gates(std::shared_ptr<Router> part,
                                                   const std::vector<GateSource>& gates) {
  part->experts = gates.front().weight.columns;
  Expected<DeviceMemory> memory = filled(*part->device, [&](PartImage& image) {
    std::vector<RouterLevel> levels = part->hidden->levels;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      levels[i].gate = put_gate(image, gates[i].weight);
      levels[i].gate_bias = image.put<float>(gates[i].bias);
    }
    part->levels = image.put<RouterLevel>(levels);
  });
  if (!memory.ok()) {
    return memory.status();
  }
  part->memory = std::move(memory).take();
  return std::shared_ptr<const Router>(std::move(part));
}

}  // namespace

Expected<std::shared_ptr<const Router>> Router::make(std::shared_ptr<Device> device,
                                                     const Geometry& geometry,
                                                     Arithmetic arithmetic,
                                                     const std::vector<RouterLevelSource>& source) {
  if (Status status = check(source, geometry); !status.ok()) {
    return status;
  }
  auto hidden = std::make_shared<Hidden>();
  std::vector<GateSource> gates;
  for (const RouterLevelSource& level : source) {
    hidden->widths.push_back(level.hidden.weight.columns);
    hidden->width = std::max(hidden->width, hidden->widths.back());
    gates.push_back(level.gate);
  }
  if (hidden->width > widest_router()) {
    return Status(Code::kInvalid, "router: CUDA computes hidden layers of at most " +
                                      std::to_string(widest_router()) + " channels, got " +
                                      std::to_string(hidden->width));
  }
  Expected<DeviceMemory> memory = filled(*device, [&](PartImage& image) {
    hidden->levels.clear();
    for (std::size_t i = 0; i < source.size(); ++i) {
      const std::string name = "router hidden " + std::to_string(i);
      hidden->levels.push_back({put_linear(image, wide(arithmetic), source[i].hidden, name),
                                put_norm(image, source[i].norm), nullptr, nullptr});
    }
  });
  if (!memory.ok()) {
    return memory.status();
  }
  hidden->memory = std::move(memory).take();
  auto part = std::make_shared<Router>(std::move(device), geometry, arithmetic);
  part->hidden = std::move(hidden);
  return with_gates(std::move(part), gates);
}

Expected<std::shared_ptr<const Router>> Router::regated(const Router& base,
                                                        const std::vector<GateSource>& gates) {
  if (Status status = check(gates, base.hidden->widths); !status.ok()) {
    return status;
  }
  auto part = std::make_shared<Router>(base.device, base.geometry, base.arithmetic);
  part->hidden = base.hidden;
  return with_gates(std::move(part), gates);
}

}  // namespace sakedge::cuda
