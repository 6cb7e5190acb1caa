#pragma once

#include <memory>
#include <vector>

#include "decoder/geometry.h"
#include "decoder/weights/linear.h"

namespace sakedge {

// Channels of the fused map that are expanded at a time: nine tap maps of so many channels and all
// tokens exist at once (2.4 MB for 32 x 32 tokens; two such buffers take turns), whatever the width
// of the head.
inline constexpr Index kHeadChunk = 64;

// Offsets of a 3 x 3 kernel.
inline constexpr Index kTaps = 9;

// One task's head, packed: the level linears, then the 3 x 3 convolution as nine matrices that act
// before the upsampling (docs/algebra.md, section 1), then the 1 x 1 to the classes, in float32.
// Immutable.
struct Head {
  // Channels [first, first + count) of the fused map.
  struct Chunk {
    Index first = 0;
    Index count = 0;
    Packed taps;  // [Z, 9 * count]: tap by tap, in the order of the kernel's rows
  };

  Arithmetic arithmetic = Arithmetic::kF32;
  StemShape stem;
  std::vector<Linear> linears;  // one per level
  std::vector<Chunk> chunks;
  std::vector<float> fuse_bias;
  std::vector<float> last;  // [classes, F]
  std::vector<float> last_bias;
  Index width = 0;    // Z, the sum of the linears' outputs
  Index fused = 0;    // F
  Index classes = 0;  // of the last layer

  static Expected<std::shared_ptr<const Head>> pack(const cpu::KernelTable& kernels,
                                                    Arithmetic arithmetic, const Geometry& geometry,
                                                    const HeadSource& source);
};

// kInvalid unless the sizes fit each other and the geometry.
Status check(const HeadSource& source, const Geometry& geometry);

}  // namespace sakedge
