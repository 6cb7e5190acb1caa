#include "decoder/weights/router.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sakedge {

Expected<std::shared_ptr<const Router>> Router::pack(const cpu::KernelTable& kernels,
                                                     Arithmetic arithmetic,
                                                     const Geometry& geometry,
                                                     const std::vector<RouterLevelSource>& source) {
  if (source.empty() || static_cast<Index>(source.size()) != geometry.level_count()) {
    return Status(Code::kInvalid, "router: expected " + std::to_string(geometry.level_count()) +
                                      " levels, got " + std::to_string(source.size()));
  }
  const Index experts = source.front().gate.columns;
  auto router = std::make_shared<Router>();
  router->arithmetic = arithmetic;
  router->stem = geometry;
  for (const RouterLevelSource& level : source) {
    const Index hidden = level.hidden.weight.columns;
    Status status = check(level.hidden, geometry.channels, 0, "router hidden");
    if (status.ok()) {
      status = check(level.norm, hidden, "router norm");
    }
    if (status.ok()) {
      const View<const float>& gate = level.gate;
      status = check({{gate.rows, gate.columns, gate.data, nullptr, {}}, level.gate_bias}, hidden,
                     experts, "router gate");
    }
    if (!status.ok()) {
      return status;
    }
    const float* gate = level.gate.data;
    router->levels.push_back({Linear::from(select(kernels, arithmetic), level.hidden),
                              Norm::from(level.norm),
                              {gate, gate + hidden * experts},
                              {level.gate_bias.begin(), level.gate_bias.end()}});
    router->hidden = std::max(router->hidden, hidden);
  }
  return std::shared_ptr<const Router>(std::move(router));
}

void Router::weigh(Index level, const double* hidden_sum, Index tokens,
                   const std::vector<bool>& present, float* weights) const {
  const Level& layer = levels[static_cast<std::size_t>(level)];
  const std::size_t experts = layer.gate_bias.size();
  std::vector<double> logits(layer.gate_bias.begin(), layer.gate_bias.end());
  for (Index h = 0; h < layer.hidden.out(); ++h) {
    const double pooled = hidden_sum[h] / static_cast<double>(tokens);
    for (std::size_t e = 0; e < experts; ++e) {
      logits[e] +=
          pooled * static_cast<double>(layer.gate[static_cast<std::size_t>(h) * experts + e]);
    }
  }
  double highest = -std::numeric_limits<double>::infinity();
  for (std::size_t e = 0; e < experts; ++e) {
    highest = present[e] ? std::max(highest, logits[e]) : highest;
  }
  double sum = 0.0;
  for (std::size_t e = 0; e < experts; ++e) {
    logits[e] = present[e] ? std::exp(logits[e] - highest) : 0.0;
    sum += logits[e];
  }
  for (std::size_t e = 0; e < experts; ++e) {
    weights[e] = static_cast<float>(logits[e] / sum);
  }
}

}  // namespace sakedge
