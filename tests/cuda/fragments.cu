// One operation of a warp each, on fragments as they lie in memory.
#include "cuda/device/device.h"

namespace sakedge::cuda {

struct FragmentArgs {
  const uint32_t* a;  // [32, 4]; for matrices, the row of each lane
  const uint32_t* b;  // [32, 2]
  uint32_t* d;        // [32, 4]: sums, which are added to; or what was loaded
};

template <class T, class Sum>
SAK_DEVICE void multiply_once(const FragmentArgs& args) {
  const int lane = dev::thread();
  uint32_t a[4], b[2];
  Sum d[4];
  SAK_UNROLL
  for (int i = 0; i < 4; ++i) {
    a[i] = dev::load_global(args.a + 4 * lane + i);
    d[i] = dev::load_global(reinterpret_cast<const Sum*>(args.d) + 4 * lane + i);
  }
  SAK_UNROLL
  for (int i = 0; i < 2; ++i) b[i] = dev::load_global(args.b + 2 * lane + i);
  dev::multiply(d, a, b, T{});
  SAK_UNROLL
  for (int i = 0; i < 4; ++i)
    dev::store_global(reinterpret_cast<Sum*>(args.d) + 4 * lane + i, d[i]);
}

SAK_DEVICE void load_once(const FragmentArgs& args, bool transposed) {
  const int lane = dev::thread();
  Words4* row = reinterpret_cast<Words4*>(dev::shared()) + lane;
  dev::store_shared(row, dev::load_global(reinterpret_cast<const Words4*>(args.a) + lane));
  dev::warp_barrier();
  uint32_t r[4];
  if (transposed)
    dev::load_matrices_transposed(r, row);
  else
    dev::load_matrices(r, row);
  SAK_UNROLL
  for (int i = 0; i < 4; ++i) dev::store_global(args.d + 4 * lane + i, r[i]);
}

}  // namespace sakedge::cuda

SAK_ENTRY(multiply_half, 32, 1, FragmentArgs) {
  sakedge::cuda::multiply_once<sakedge::cuda::Half, float>(args);
}
SAK_ENTRY(multiply_bfloat, 32, 1, FragmentArgs) {
  sakedge::cuda::multiply_once<sakedge::cuda::Bfloat, float>(args);
}
SAK_ENTRY(multiply_int8, 32, 1, FragmentArgs) {
  sakedge::cuda::multiply_once<int8_t, int32_t>(args);
}
SAK_ENTRY(matrices, 32, 1, FragmentArgs) { sakedge::cuda::load_once(args, false); }
SAK_ENTRY(matrices_transposed, 32, 1, FragmentArgs) { sakedge::cuda::load_once(args, true); }
