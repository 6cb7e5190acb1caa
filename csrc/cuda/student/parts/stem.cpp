#include "cuda/student/parts/stem.h"

#include <algorithm>
#include <string>

#include "cuda/student/parts/matrix.h"
#include "decoder/weights/linear.h"

namespace sakedge::cuda {
namespace {

Status invalid(const std::string& problem) { return {Code::kInvalid, "stem: " + problem}; }

Status check_block(const StemBlockSource& block, Index c) {
  const Index hidden = block.fc1.weight.columns;
  for (const Status& status :
       {check(block.norm1, c, "stem norm1"), check(block.qkv, c, 3 * c, "stem qkv"),
        check(block.proj, c, c, "stem proj"), check(block.norm2, c, "stem norm2"),
        check(block.fc1, c, 0, "stem fc1"), check(block.fc2, hidden, c, "stem fc2")}) {
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

Status check(const StemSource& source, const Geometry& geometry) {
  const Index c = geometry.channels;
  const Index tokens = 1 + geometry.tokens();
  if (source.patch.rows != c || source.patch.columns != geometry.pixels() ||
      static_cast<Index>(source.patch_bias.size()) != c) {
    return invalid("expected a patch embedding [" + std::to_string(c) + ", " +
                   std::to_string(geometry.pixels()) + "] with a bias, got [" +
                   std::to_string(source.patch.rows) + ", " + std::to_string(source.patch.columns) +
                   "]");
  }
  if (static_cast<Index>(source.class_token.size()) != c || source.position.rows != tokens ||
      source.position.columns != c) {
    return invalid("expected a position embedding [" + std::to_string(tokens) + ", " +
                   std::to_string(c) + "] and a class token, got [" +
                   std::to_string(source.position.rows) + ", " +
                   std::to_string(source.position.columns) + "]");
  }
  if (static_cast<Index>(source.blocks.size()) != geometry.blocks) {
    return invalid("expected " + std::to_string(geometry.blocks) + " blocks, got " +
                   std::to_string(source.blocks.size()));
  }
  for (const StemBlockSource& block : source.blocks) {
    if (Status status = check_block(block, c); !status.ok()) {
      return status;
    }
  }
  return {};
}

bool has_integers(const StemSource& source) {
  return std::any_of(source.blocks.begin(), source.blocks.end(), [](const StemBlockSource& b) {
    return b.qkv.weight.is_quantised() || b.proj.weight.is_quantised() ||
           b.fc1.weight.is_quantised() || b.fc2.weight.is_quantised();
  });
}

}  // namespace

Expected<std::shared_ptr<const Stem>> Stem::make(std::shared_ptr<Device> device,
                                                 const Geometry& geometry, Arithmetic arithmetic,
                                                 const StemSource& source) {
  if (Status status = cuda::check(source, geometry); !status.ok()) {
    return status;
  }
  const Arithmetic type = wide(arithmetic);
  const bool by_layer = has_integers(source);
  const auto after_norm = [&](const LinearSource& linear) {
    return by_layer && !linear.weight.is_quantised() ? type : arithmetic;
  };
  auto part = std::make_shared<Stem>(std::move(device), geometry, arithmetic);
  Expected<DeviceMemory> memory = filled(*part->device, [&](PartImage& image) {
    const View<const float>& kernel = source.patch;
    const WeightSource patch{kernel.rows, kernel.columns, kernel.data, nullptr, {}};
    part->patch = put_weight(image, type, {&patch, kernel.rows, kernel.columns, kernel.columns, 1},
                             "stem patch embedding");
    part->patch.bias = image.put<float>(source.patch_bias);
    const Index size = source.position.rows * source.position.columns;
    part->position = image.put<float>(Vector(source.position.data, static_cast<std::size_t>(size)));
    const auto row = image.take<float>(geometry.channels);
    for (Index c = 0; c < geometry.channels && row.host != nullptr; ++c) {
      row.host[c] = source.class_token[static_cast<std::size_t>(c)] + source.position.data[c];
    }
    part->class_row = row.device;
    part->blocks.clear();
    for (std::size_t i = 0; i < source.blocks.size(); ++i) {
      const StemBlockSource& block = source.blocks[i];
      const std::string name = "stem block " + std::to_string(i) + " ";
      const Index hidden = round_up(block.fc1.weight.columns, multiple_of(type));
      part->blocks.push_back(
          {put_norm(image, block.norm1),
           put_linear(image, after_norm(block.qkv), block.qkv, name + "qkv"),
           put_linear(image, type, block.proj, name + "proj"), put_norm(image, block.norm2),
           put_linear(image, after_norm(block.fc1), block.fc1, name + "fc1", {hidden, 0}),
           put_linear(image, type, block.fc2, name + "fc2", {0, hidden})});
    }
  });
  if (!memory.ok()) {
    return memory.status();
  }
  part->memory = std::move(memory).take();
  return std::shared_ptr<const Stem>(std::move(part));
}

}  // namespace sakedge::cuda
