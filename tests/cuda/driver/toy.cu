// Kernels for tests of the driver's and the plan's callers.
#include "cuda/device/device.h"
#include "toy.h"

namespace sakedge::cuda {
namespace {

SAK_DEVICE void stir_one(const StirArgs& args, int i) {
  const uint32_t a = dev::load_global(args.a + i);
  const uint32_t b = dev::load_global(args.b + i);
  dev::store_global(args.out + i, 31 * a + 17 * b + args.salt);
}

}  // namespace
}  // namespace sakedge::cuda

using namespace sakedge::cuda;

SAK_ENTRY(stir, 32, 1, StirArgs) {
  const int i = dev::block_x() * 32 + dev::thread();
  if (i < args.count) {
    stir_one(args, i);
  }
}

SAK_ENTRY(stray, 32, 1, StirArgs) {
  const int i = dev::block_x() * 32 + dev::thread();
  if (i <= args.count) {
    stir_one(args, i);
  }
}

SAK_ENTRY(turn, 32, 1, TurnArgs) {
  uint32_t* words = reinterpret_cast<uint32_t*>(dev::shared());
  for (int i = dev::thread(); i < args.count; i += 32) {
    dev::store_shared(words + i, dev::load_global(args.in + i));
  }
  dev::barrier();
  for (int i = dev::thread(); i < args.count; i += 32) {
    dev::store_global(args.out + i, dev::load_shared(words + (i + 1) % args.count));
  }
}
