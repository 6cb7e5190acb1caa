// Prints where CuTe has the elements of fragments, as JSON: an independent statement of the PTX
// ISA.
#include <cuda_runtime.h>

#include <cstdio>
#include <cute/atom/copy_traits_sm75.hpp>
#include <cute/atom/mma_traits_sm80.hpp>

// layout(lane, i) for all lanes and the first `count` elements, by steps.
template <class Layout>
void print(const char* name, Layout layout, int count, int step = 1) {
  std::printf("\"%s\": [", name);
  for (int lane = 0; lane < 32; ++lane) {
    std::printf("%s[", lane == 0 ? "" : ", ");
    for (int i = 0; i < count; ++i)
      std::printf("%s%d", i == 0 ? "" : ", ", static_cast<int>(layout(lane, i * step)));
    std::printf("]");
  }
  std::printf("]");
}

// a and b as row + rows * depth, sums as row + rows * column; rows of b are its columns.
template <class Atom>
void print_multiply(const char* name, int a, int b) {
  using Traits = cute::MMA_Traits<Atom>;
  std::printf("\"%s\": {", name);
  print("a", typename Traits::ALayout{}, a);
  std::printf(", ");
  print("b", typename Traits::BLayout{}, b);
  std::printf(", ");
  print("d", typename Traits::CLayout{}, 4);
  std::printf("},\n");
}

// The bit, of all that the lanes' rows hold, at which each element of 16 bits was.
template <class Atom>
void print_matrices(const char* name, const char* end) {
  std::printf("\"%s\": {", name);
  print("rows", typename cute::Copy_Traits<Atom>::SrcLayout{}, 8, 16);
  std::printf(", ");
  print("r", typename cute::Copy_Traits<Atom>::DstLayout{}, 8, 16);
  std::printf("}%s\n", end);
}

int main() {
  std::printf("{");
  print_multiply<cute::SM80_16x8x16_F32F16F16F32_TN>("multiply_half", 8, 4);
  print_multiply<cute::SM80_16x8x16_F32BF16BF16F32_TN>("multiply_bfloat", 8, 4);
  print_multiply<cute::SM80_16x8x32_S32S8S8S32_TN>("multiply_int8", 16, 8);
  print_matrices<cute::SM75_U32x4_LDSM_N>("matrices", ",");
  print_matrices<cute::SM75_U16x8_LDSM_T>("matrices_transposed", "");
  std::printf("}\n");
}
