// The kernels of a run and the memory between them, before there is a device to run them on.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/index.h"
#include "cuda/driver/module.h"
#include "cuda/driver/stream.h"

namespace sakedge::cuda {

class Addresses;

// Steps that read and write buffers. They may run in any order, and side by side, in which each
// finds what it would if they ran one by one as they were added.
class Plan {
 public:
  struct Buffer {
    int id = -1;
  };

  // A buffer of the arena. It is there from the first to the last step that uses it: what it holds
  // at first is not set.
  Buffer scratch(Index bytes, const char* what);
  // A buffer that lies elsewhere, `data` not null. Two may overlap.
  Buffer fixed(std::byte* data, Index bytes, const char* what);

  // Adds a step. `args` is called once addresses are known, for the kernel's one parameter. A
  // buffer that is updated is among `reads` and `writes`. What no step writes (weights) need not be
  // declared.
  template <class Args>
  void launch(const Kernel& kernel, Grid grid, const std::vector<Buffer>& reads,
              const std::vector<Buffer>& writes, std::function<Args(const Addresses&)> args);

  // Orders the steps and lays out the arena; returns the arena's bytes. Afterwards nothing may be
  // added.
  Index place();
  Index arena_size() const { return arena_size_; }

  struct Use {
    int buffer;
    bool write;
  };
  struct Step {
    Kernel kernel;
    Grid grid;
    std::vector<Use> uses;
    std::function<std::vector<std::byte>(const Addresses&)> args;
    std::vector<int> after;  // the steps that must be over; by place()
  };
  struct Extent {
    std::byte* data;  // null in the arena
    Index offset;     // in the arena; by place()
    Index bytes;
    const char* what;
  };
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<Extent>& buffers() const { return buffers_; }

 private:
  void add(const Kernel& kernel, Grid grid, const std::vector<Buffer>& reads,
           const std::vector<Buffer>& writes,
           std::function<std::vector<std::byte>(const Addresses&)> args);

  std::vector<Step> steps_;
  std::vector<Extent> buffers_;
  Index arena_size_ = 0;
};

// An address in device memory, as a pointer to whatever a kernel's arguments want.
struct Address {
  std::byte* data;

  template <class T>
  operator T*() const {  // NOLINT(misc-explicit-constructor)
    return reinterpret_cast<T*>(data);
  }
  Address operator+(Index bytes) const { return {data + bytes}; }
};

// Where buffers of a placed plan lie.
class Addresses {
 public:
  Addresses(const Plan& plan, std::byte* arena) : plan_(plan), arena_(arena) {}

  Address operator()(Plan::Buffer buffer) const {
    const Plan::Extent& e = plan_.buffers()[static_cast<std::size_t>(buffer.id)];
    return {e.data != nullptr ? e.data : arena_ + e.offset};
  }

 private:
  const Plan& plan_;
  std::byte* arena_;
};

template <class Args>
void Plan::launch(const Kernel& kernel, Grid grid, const std::vector<Buffer>& reads,
                  const std::vector<Buffer>& writes, std::function<Args(const Addresses&)> args) {
  static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) <= 4096);  // of a kernel at most
  add(kernel, grid, reads, writes, [args = std::move(args)](const Addresses& at) {
    const Args value = args(at);
    std::vector<std::byte> bytes(sizeof(value));
    std::memcpy(bytes.data(), &value, sizeof(value));
    return bytes;
  });
}

}  // namespace sakedge::cuda
