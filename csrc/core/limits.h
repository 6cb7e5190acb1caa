#pragma once

#include "core/index.h"
#include "core/status.h"

// What is refused before it is begun because of its size alone. The bounds lie far beyond what a
// machine computes in minutes, and leave every product of sizes within Index.
namespace sakedge {

// Pixels of a picture, or cells of a map, along one axis.
inline constexpr Index kMostSide = Index{1} << 20;
// Pixels of a picture.
inline constexpr Index kMostPixels = Index{1} << 32;

// Images of a call.
inline constexpr Index kMostImages = 4096;

// Threads of a pool.
inline constexpr Index kMostThreads = 1024;

// Multiplications of one call: at 1e11 a second, twelve minutes. A batch of 32 images of 1024 x
// 1024 on a ViT-L with five tasks takes a tenth.
inline constexpr double kMostWork = 0x1p46;
// A bilinear sample takes as long as so many multiplications of a matrix product, about.
inline constexpr double kSampleWork = 64.0;

// kInvalid for more than kMostWork.
Status check_work(double multiplications);

// Bytes of this machine's memory: no array can be larger.
Index machine_memory();

}  // namespace sakedge
