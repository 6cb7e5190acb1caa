#include "decoder/weights/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace sakedge {
namespace {

Status wrong_levels(Index expected, std::size_t got) {
  return {Code::kInvalid,
          "router: expected " + std::to_string(expected) + " levels, got " + std::to_string(got)};
}

Status check_gate(const GateSource& gate, Index hidden, Index experts) {
  const View<const float>& weight = gate.weight;
  return check({{weight.rows, weight.columns, weight.data, nullptr, {}}, gate.bias}, hidden,
               experts, "router gate");
}

Router::Level level_of(std::shared_ptr<const Router::Hidden> hidden, const GateSource& gate) {
  const View<const float>& weight = gate.weight;
  return {std::move(hidden),
          {weight.data, weight.data + weight.rows * weight.columns},
          {gate.bias.begin(), gate.bias.end()}};
}

}  // namespace

Status check(const std::vector<RouterLevelSource>& source, const Geometry& geometry) {
  if (source.empty() || static_cast<Index>(source.size()) != geometry.level_count()) {
    return wrong_levels(geometry.level_count(), source.size());
  }
  const Index experts = source.front().gate.weight.columns;
  for (const RouterLevelSource& level : source) {
    const Index hidden = level.hidden.weight.columns;
    Status status = check(level.hidden, geometry.channels, 0, "router hidden");
    if (status.ok()) {
      status = check(level.norm, hidden, "router norm");
    }
    if (status.ok()) {
      status = check_gate(level.gate, hidden, experts);
    }
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

Status check(const std::vector<GateSource>& gates, const std::vector<Index>& hidden) {
  if (gates.size() != hidden.size()) {
    return wrong_levels(std::ssize(hidden), gates.size());
  }
  const Index experts = gates.front().weight.columns;
  for (std::size_t i = 0; i < gates.size(); ++i) {
    if (Status status = check_gate(gates[i], hidden[i], experts); !status.ok()) {
      return status;
    }
  }
  return {};
}

Expected<std::shared_ptr<const Router>> Router::pack(const cpu::KernelTable& kernels,
                                                     Arithmetic arithmetic,
                                                     const Geometry& geometry,
                                                     const std::vector<RouterLevelSource>& source) {
  if (Status status = check(source, geometry); !status.ok()) {
    return status;
  }
  auto router = std::make_shared<Router>();
  router->arithmetic = arithmetic;
  router->stem = geometry;
  for (const RouterLevelSource& level : source) {
    router->levels.push_back(level_of(
        std::make_shared<const Hidden>(Hidden{
            Linear::from(select(kernels, arithmetic), level.hidden), Norm::from(level.norm)}),
        level.gate));
    router->hidden = std::max(router->hidden, level.hidden.weight.columns);
  }
  return std::shared_ptr<const Router>(std::move(router));
}

Expected<std::shared_ptr<const Router>> Router::regated(const Router& base,
                                                        const std::vector<GateSource>& gates) {
  std::vector<Index> hidden;
  hidden.reserve(base.levels.size());
  for (const Level& level : base.levels) {
    hidden.push_back(level.hidden->linear.out());
  }
  if (Status status = check(gates, hidden); !status.ok()) {
    return status;
  }
  auto router = std::make_shared<Router>();
  router->arithmetic = base.arithmetic;
  router->stem = base.stem;
  router->hidden = base.hidden;
  for (std::size_t i = 0; i < gates.size(); ++i) {
    router->levels.push_back(level_of(base.levels[i].hidden, gates[i]));
  }
  return std::shared_ptr<const Router>(std::move(router));
}

void Router::weigh(Index level, const double* hidden_sum, Index tokens,
                   const std::vector<bool>& present, float* weights) const {
  const Level& layer = levels[static_cast<std::size_t>(level)];
  const std::size_t experts = layer.gate_bias.size();
  std::vector<double> logits(layer.gate_bias.begin(), layer.gate_bias.end());
  for (Index h = 0; h < layer.hidden->linear.out(); ++h) {
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
