// Arguments of toy.cu.
#pragma once

#include "cuda/device/types.h"

namespace sakedge::cuda {

// stir: out = 31 a + 17 b + salt, modulo 2^32, element by element; which of two ran first always
// shows. stray: the same, and an element more. Blocks of 32 threads.
struct StirArgs {
  const uint32_t* a;
  const uint32_t* b;  // either may be `out`
  uint32_t* out;
  uint32_t salt;
  int count;
};

// turn: the same n words, turned by one place, through n words of shared memory. A block of 32.
struct TurnArgs {
  const uint32_t* in;
  uint32_t* out;
  int count;
};

}  // namespace sakedge::cuda
