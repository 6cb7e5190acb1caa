#pragma once

#include <vector>

#include "cuda/kernels/args.h"
#include "cuda/student/parts/part.h"
#include "decoder/weights/sources.h"

namespace sakedge::cuda {

struct StemBlockSource {
  NormSource norm1;
  LinearSource qkv;
  LinearSource proj;
  NormSource norm2;
  LinearSource fc1;
  LinearSource fc2;
};

struct StemSource {
  View<const float> patch;  // [C, 3 * 16 * 16]: channel, row, column
  Vector patch_bias;
  Vector class_token;
  View<const float> position;  // [1 + tokens, C]
  std::vector<StemBlockSource> blocks;
};

// The stem in device memory. Immutable. The structs lie on the host: they go into arguments.
struct Stem : Part {
  struct Block {
    Norm norm1;
    Linear qkv;
    Linear proj;
    Norm norm2;
    Linear fc1;
    Linear fc2;
  };

  Linear patch;
  const float* class_row = nullptr;  // [C]: class token plus its position
  const float* position = nullptr;   // [1 + tokens, C]
  std::vector<Block> blocks;

  // With kS8, qkv and fc1 are int8, for what they read comes out of a LayerNorm and has no
  // outliers. But if any layer of the source is int8, those are that the source has in int8: a
  // student file leaves as floats what lost too much.
  static Expected<std::shared_ptr<const Stem>> make(std::shared_ptr<Device> device,
                                                    const Geometry& geometry, Arithmetic arithmetic,
                                                    const StemSource& source);
  using Part::Part;
};

inline bool is_int8(const Linear& linear) { return linear.scale != nullptr; }

}  // namespace sakedge::cuda
