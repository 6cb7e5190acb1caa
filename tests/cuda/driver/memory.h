// Memory of the emulated devices. The host cannot touch it but while a device works; no address is
// used twice; it is aligned as the driver promises and no better; and it starts as NaNs.
#pragma once

#include <cstddef>
#include <string>

#include "machine.h"

namespace sakedge::emulated {

// While one exists, device memory can be read and written.
class Opened {
 public:
  Opened();
  ~Opened();
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

// Null when the device or the host has no more.
std::byte* allocate_device(Context& context, std::size_t bytes);
// Pinned; `mapped`: a device sees it too, elsewhere.
std::byte* allocate_host(Context& context, std::size_t bytes, bool mapped);
// False, and a finding, if there is no such allocation.
bool release(Context& context, std::byte* data, bool device);

void release_all(Context& context);

struct Allocation {
  Context* context;
  std::byte* data;
  std::size_t bytes;
  std::size_t number;
  bool device;
  std::byte* alias = nullptr;  // of mapped host memory, on the device
};
// The allocation that holds all of these bytes, by the address that a device uses (`device`) or
// the host; null if there is none.
const Allocation* find(const void* data, std::size_t bytes, bool device);

// Makes every allocation known to kernels that were just loaded.
void tell_allocations(const Kernels& kernels);

std::size_t used_by_device(const Context& context);
// What the context has not freed; empty if nothing.
std::string leaks(const Context& context);

}  // namespace sakedge::emulated
