// Products of a warpgroup, whose operands lie in shared memory. A warp's part of one is computed
// when it is asked for; that nobody changed the operands meanwhile is looked at when it is waited
// for.
#include <algorithm>
#include <cstring>

#include "emulator/block.h"
#include "emulator/memory.h"
#include "emulator/numbers.h"

namespace sakedge::emulator {
namespace {

constexpr int kBytes = 32;  // of a row of an operand
constexpr int kRows = 16;   // of a, for each warp

// A matrix descriptor, as the PTX ISA has it: rows follow each other in groups of eight, their
// chunks of 16 bytes permuted by the bits of the address that say which row it is.
class Matrix {
 public:
  explicit Matrix(uint64_t descriptor)
      : begin_((descriptor & 0x3fff) << 4), eight_rows_((descriptor >> 32 & 0x3fff) << 4) {
    const uint64_t mode = descriptor >> 62;
    if (mode == 0) fail("a matrix without permuted chunks is not known here");
    row_ = size_t{256} >> mode;
    if (eight_rows_ != 8 * row_) fail("eight rows of %zu bytes are not %zu", row_, eight_rows_);
  }

  const unsigned char* chunk(int row, int c) const {
    const auto r = static_cast<size_t>(row);
    const size_t at = begin_ + r / 8 * eight_rows_ + r % 8 * row_ + 16 * static_cast<size_t>(c);
    return here.shared + (at ^ (at >> 3 & (row_ - 16)));
  }

 private:
  size_t begin_, eight_rows_, row_;
};

void read(const Matrix& from, int first, int rows, unsigned char* to) {
  for (int row = 0; row < rows; ++row)
    for (int c = 0; c < kBytes / 16; ++c) {
      const unsigned char* const chunk = from.chunk(first + row, c);
      read_shared(chunk, 16);
      if (block.unseen[static_cast<size_t>(chunk - here.shared) / 16] != 0)
        fail("a product reads byte %td, which a copy wrote and no fence has shown it",
             chunk - here.shared);
      std::memcpy(to + kBytes * row + 16 * c, chunk, 16);
    }
}

Warp& warp() { return block.warps[static_cast<size_t>(here.thread / kLanes)]; }

std::vector<unsigned char> operands(const Product& of) {
  std::vector<unsigned char> found(static_cast<size_t>(kBytes * (kRows + of.columns)));
  read(Matrix(of.a), here.thread / kLanes % 4 * kRows, kRows, found.data());
  read(Matrix(of.b), 0, of.columns, found.data() + kBytes * kRows);
  return found;
}

struct ProductOperands {
  void* d;
  Product product;
};

float half_at(const unsigned char* p, int i) {
  uint16_t bits;
  std::memcpy(&bits, p + 2 * i, 2);
  return from_half(bits);
}
float bfloat_at(const unsigned char* p, int i) {
  uint16_t bits;
  std::memcpy(&bits, p + 2 * i, 2);
  return from_bfloat(bits);
}
int32_t int8_at(const unsigned char* p, int i) { return static_cast<int8_t>(p[i]); }

template <class Sum, int kDepth, Sum (*kAt)(const unsigned char*, int)>
void perform_product(Lane* lanes) {
  if (!warp().has_begun) fail("a product before the fence that begins a group");
  Product product = static_cast<ProductOperands*>(lanes[0].operands)->product;
  for (int l = 1; l < kLanes; ++l) {
    const Product& other = static_cast<ProductOperands*>(lanes[l].operands)->product;
    if (other.a != product.a || other.b != product.b) fail("lanes with different matrices");
  }
  product.operands = operands(product);
  const unsigned char* const a = product.operands.data();
  const unsigned char* const b = a + kBytes * kRows;
  std::vector<Sum> left(kRows * kDepth), right(static_cast<size_t>(product.columns) * kDepth);
  for (size_t i = 0; i < left.size(); ++i) left[i] = kAt(a, static_cast<int>(i));
  for (size_t i = 0; i < right.size(); ++i) right[i] = kAt(b, static_cast<int>(i));
  for (int l = 0; l < kLanes; ++l) {
    auto* const d = static_cast<Sum*>(static_cast<ProductOperands*>(lanes[l].operands)->d);
    for (int i = 0; i < product.columns / 2; ++i) {
      const int row = l / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + l % 4 * 2 + i % 2;
      Sum sum = 0;
      for (int k = 0; k < kDepth; ++k)
        sum += left[static_cast<size_t>(row * kDepth + k)] *
               right[static_cast<size_t>(column * kDepth + k)];
      d[i] += sum;
    }
  }
  warp().open_products.push_back(std::move(product));
  ++block.counters.multiplies;
}

void perform_begin(Lane*) { warp().has_begun = true; }

void perform_commit(Lane*) {
  warp().products.push_back(std::move(warp().open_products));
  warp().open_products.clear();
  warp().has_begun = false;
}

void perform_wait(Lane* lanes) {
  auto& groups = warp().products;
  while (groups.size() > *static_cast<unsigned*>(lanes[0].operands)) {
    for (const Product& product : groups.front())
      if (operands(product) != product.operands)
        fail("an operand was changed before its product was waited for");
    groups.pop_front();
  }
}

template <class Sum, int kDepth, Sum (*kAt)(const unsigned char*, int)>
void multiply(Together what, Sum* d, int columns, uint64_t a, uint64_t b) {
  ProductOperands operands{d, {a, b, columns, {}}};
  together(what, &operands, perform_product<Sum, kDepth, kAt>);
}

}  // namespace

void warpgroup_multiply_half(float* d, int columns, uint64_t a, uint64_t b) {
  multiply<float, 16, half_at>(Together::kWarpgroupHalf, d, columns, a, b);
}
void warpgroup_multiply_bfloat(float* d, int columns, uint64_t a, uint64_t b) {
  multiply<float, 16, bfloat_at>(Together::kWarpgroupBfloat, d, columns, a, b);
}
void warpgroup_multiply_int8(int32_t* d, int columns, uint64_t a, uint64_t b) {
  multiply<int32_t, 32, int8_at>(Together::kWarpgroupInt8, d, columns, a, b);
}

void warpgroup_begin() { together(Together::kWarpgroupBegin, nullptr, perform_begin); }
void warpgroup_commit() { together(Together::kWarpgroupCommit, nullptr, perform_commit); }
void warpgroup_wait(unsigned left) { together(Together::kWarpgroupWait, &left, perform_wait); }

void warpgroup_sees_copies() {
  auto& landed = block.lanes[static_cast<size_t>(here.thread)].landed;
  for (const size_t chunk : landed)
    if (block.unseen[chunk] == here.thread + 1) block.unseen[chunk] = 0;
  landed.clear();
}

void check_products_waited() {
  if (!warp().products.empty() || !warp().open_products.empty())
    fail("ends with products not waited for");
}

}  // namespace sakedge::emulator
