// What csrc/cuda/device promises of a machine, one small kernel for each kind of promise. The same
// expectations hold the emulator and a device (conformance_test.py).
#include "cuda/kernels/tile.h"

namespace sakedge::cuda {

// conform_product_*: one warp; a b^T of one product of the tensor cores, and what its loads gave.
struct ProductArgs {
  const void* a;         // T [16, k], k as many as 32 bytes hold
  const void* b;         // T [16, k]
  const void* d;         // float or int32 [16, 16], added to
  void* out;             // the same
  uint32_t* straight;    // [32, 4]: of b, by load_matrices
  uint32_t* transposed;  // [32, 4]: of the first 16 columns of a, by load_matrices_transposed
};

// conform_values: one warp; what is done value by value.
struct ValueArgs {
  const float* in;    // [count], a multiple of 32
  float* exchanged;   // [5, count]: of 32 neighbours, by masks 1, 2, 4, 8, 16
  uint32_t* halves;   // [count]: a value and its negation as Half
  uint32_t* bfloats;  // the same as Bfloat
  float* widened;     // [2, count]: the value as Half and back, as Bfloat and back
  float* powers;      // [count]: 2^x
  float* roots;       // [count]: 1 / sqrt(|x|)
  float* errors;      // [count]: erf(x)
  float* rounded;     // [count]: to the nearest even integer
  int* finite;        // [count]: 0 or 1
  int count;
};

// conform_copies: one warp; 16 bytes for each lane by asynchronous copies in two groups, of which
// the odd lanes' are not valid.
struct CopyArgs {
  const uint32_t* in;  // [2, 32, 4]
  uint32_t* early;     // [32, 4]: the first group, when it was waited for alone
  uint32_t* late;      // [32, 4]: the second
};

template <class T, class Sum>
SAK_DEVICE void conform_product(const ProductArgs& args) {
  // 16 rows of 32 bytes, in tiles of four chunks, the narrowest there are.
  const Tile<4> a{dev::shared()};
  const Tile<4> b{dev::shared() + 16 * Tile<4>::kRowBytes};
  const int lane = dev::thread();
  const int row = lane / 2;
  const int half = lane % 2;
  const auto* from_a = static_cast<const Words4*>(args.a);
  const auto* from_b = static_cast<const Words4*>(args.b);
  dev::store_shared(reinterpret_cast<Words4*>(a.chunk(row, half)), dev::load_global(from_a + lane));
  dev::store_shared(reinterpret_cast<Words4*>(b.chunk(row, half)), dev::load_global(from_b + lane));
  dev::warp_barrier();

  uint32_t x[4];
  uint32_t y[4];
  load_a(x, a, 0, 0);
  load_b(y, b, 0, 0);
  uint32_t turned[4];
  load_b_transposed(turned, a, 0, 0);
  for (int i = 0; i < 4; ++i) {
    dev::store_global(args.straight + 4 * lane + i, y[i]);
    dev::store_global(args.transposed + 4 * lane + i, turned[i]);
  }

  SAK_UNROLL
  for (int side = 0; side < 2; ++side) {
    Sum d[4];
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int at = (fragment_row() + i / 2 * 8) * 16 + side * 8 + fragment_column() + i % 2;
      d[i] = dev::load_global(static_cast<const Sum*>(args.d) + at);
    }
    const uint32_t columns[2] = {y[2 * side], y[2 * side + 1]};
    dev::multiply(d, x, columns, T{});
    SAK_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int at = (fragment_row() + i / 2 * 8) * 16 + side * 8 + fragment_column() + i % 2;
      dev::store_global(static_cast<Sum*>(args.out) + at, d[i]);
    }
  }
}

SAK_ENTRY(conform_product_f16, 32, 1, ProductArgs) { conform_product<Half, float>(args); }
SAK_ENTRY(conform_product_bf16, 32, 1, ProductArgs) { conform_product<Bfloat, float>(args); }
SAK_ENTRY(conform_product_s8, 32, 1, ProductArgs) { conform_product<int8_t, int32_t>(args); }

SAK_ENTRY(conform_values, 32, 1, ValueArgs) {
  for (int i = dev::thread(); i < args.count; i += 32) {
    const float x = dev::load_global(args.in + i);
    SAK_UNROLL
    for (int bit = 0; bit < 5; ++bit) {
      dev::store_global(args.exchanged + bit * args.count + i, dev::shuffle_xor(x, 1 << bit));
    }
    const uint32_t half = dev::pack(x, -x, Half{});
    const uint32_t bfloat = dev::pack(x, -x, Bfloat{});
    dev::store_global(args.halves + i, half);
    dev::store_global(args.bfloats + i, bfloat);
    float low;
    float high;
    dev::unpack(half, low, high, Half{});
    dev::store_global(args.widened + i, low);
    dev::unpack(bfloat, low, high, Bfloat{});
    dev::store_global(args.widened + args.count + i, low);
    dev::store_global(args.powers + i, dev::exp2(x));
    dev::store_global(args.roots + i, dev::rsqrt(dev::abs(x)));
    dev::store_global(args.errors + i, dev::erf(x));
    dev::store_global(args.rounded + i, dev::round_even(x));
    dev::store_global(args.finite + i, dev::is_finite(x) ? 1 : 0);
  }
}

SAK_ENTRY(conform_copies, 32, 1, CopyArgs) {
  const int lane = dev::thread();
  auto* shared = reinterpret_cast<Words4*>(dev::shared());
  const auto* in = reinterpret_cast<const Words4*>(args.in);
  // Overwritten whole, also where a copy is not valid.
  dev::store_shared(shared + lane, Words4{{1, 1, 1, 1}});
  dev::store_shared(shared + 32 + lane, Words4{{1, 1, 1, 1}});
  dev::warp_barrier();
  dev::copy_async(shared + lane, in + lane, lane % 2 == 0);
  dev::copy_commit();
  dev::copy_async(shared + 32 + lane, in + 32 + lane, lane % 2 == 0);
  dev::copy_commit();
  dev::copy_wait<1>();
  dev::warp_barrier();
  // A neighbour's, for a copy is only its own thread's until a barrier.
  const Words4 early = dev::load_shared(shared + (lane ^ 1));
  dev::store_global(reinterpret_cast<Words4*>(args.early) + lane, early);
  dev::copy_wait<0>();
  dev::warp_barrier();
  const Words4 late = dev::load_shared(shared + 32 + (lane ^ 1));
  dev::store_global(reinterpret_cast<Words4*>(args.late) + lane, late);
}

}  // namespace sakedge::cuda
