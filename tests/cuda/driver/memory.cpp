#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <map>

namespace sakedge::emulated {
namespace {

constexpr std::size_t kPage = 4096;
// Of device memory: a multiple of 256 and of no more.
constexpr std::size_t kSkew = 256;
constexpr int kPoison = 0xff;  // NaN in every type of float

std::map<const std::byte*, Allocation> allocations;  // by the address of their owner
std::size_t count = 0;
int openings = 0;

std::size_t pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

std::byte* on_device(const Allocation& a) { return a.device ? a.data : a.alias; }

// What was mapped for device memory: from a page's start, with a page behind that nothing touches.
std::byte* map(std::size_t bytes, int file, int protection) {
  void* data = mmap(nullptr, bytes, protection, file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED,
                    file, 0);
  return data == MAP_FAILED ? nullptr : static_cast<std::byte*>(data);
}

void protect(const Allocation& a, int protection) {
  if (a.device) {
    mprotect(a.data - kSkew, pages(a.bytes + kSkew), protection);
  }
}

std::string described(const Allocation& a) {
  return std::string(a.device ? "device memory" : "pinned memory") + " #" +
         std::to_string(a.number) + " of " + std::to_string(a.bytes) + " bytes";
}

void tell(const Kernels& kernels, const Allocation& a) {
  if (on_device(a) != nullptr) {
    kernels.allocate(on_device(a), a.bytes, described(a));
  }
}

std::size_t used(const Context& context, bool device) {
  std::size_t bytes = 0;
  for (const auto& [data, a] : allocations) {
    bytes += a.context == &context && a.device == device ? a.bytes : 0;
  }
  return bytes;
}

bool fits(const Context& context, std::size_t bytes, bool device) {
  return used(context, device) + bytes <= static_cast<std::size_t>(number("MEMORY"));
}

std::byte* add(const Allocation& allocation) {
  allocations[allocation.data] = allocation;
  for (const auto& kernels : all_kernels()) {
    tell(*kernels, allocation);
  }
  return allocation.data;
}

}  // namespace

Opened::Opened() {
  if (openings++ == 0) {
    for (const auto& [data, a] : allocations) {
      protect(a, PROT_READ | PROT_WRITE);
    }
  }
}

Opened::~Opened() {
  if (--openings == 0) {
    for (const auto& [data, a] : allocations) {
      protect(a, PROT_NONE);
    }
  }
}

std::byte* allocate_device(Context& context, std::size_t bytes) {
  std::byte* data =
      fits(context, bytes, true) ? map(pages(bytes + kSkew), -1, PROT_READ | PROT_WRITE) : nullptr;
  if (data == nullptr) {
    return nullptr;
  }
  const Allocation allocation{&context, data + kSkew, bytes, ++count, true};
  std::memset(allocation.data, kPoison, bytes);
  protect(allocation, openings > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
  return add(allocation);
}

std::byte* allocate_host(Context& context, std::size_t bytes, bool mapped) {
  if (!fits(context, bytes, false)) {
    return nullptr;
  }
  Allocation allocation{&context, nullptr, bytes, ++count, false};
  if (mapped) {
    const int file = memfd_create("pinned", 0);
    if (ftruncate(file, static_cast<off_t>(pages(bytes))) == 0) {
      allocation.data = map(pages(bytes), file, PROT_READ | PROT_WRITE);
      allocation.alias = map(pages(bytes), file, PROT_READ | PROT_WRITE);
    }
    close(file);
  } else {
    allocation.data = map(pages(bytes), -1, PROT_READ | PROT_WRITE);
  }
  if (allocation.data == nullptr) {
    return nullptr;
  }
  std::memset(allocation.data, kPoison, bytes);
  return add(allocation);
}

bool release(Context& context, std::byte* data, bool device) {
  const auto found = allocations.find(data);
  if (found == allocations.end() || found->second.device != device ||
      found->second.context != &context) {
    finding("memory is freed that is not allocated, or no longer");
    return false;
  }
  const Allocation a = found->second;
  allocations.erase(found);
  for (const auto& kernels : all_kernels()) {
    if (on_device(a) != nullptr) {
      kernels->release(on_device(a));
    }
  }
  // The addresses stay taken, so that a use of them is one of nothing.
  for (std::byte* start : {a.device ? a.data - kSkew : a.data, a.alias}) {
    if (start != nullptr) {
      mmap(start, pages(a.bytes + (a.device ? kSkew : 0)), PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    }
  }
  return true;
}

void release_all(Context& context) {
  std::vector<Allocation> all;
  for (const auto& [data, a] : allocations) {
    if (a.context == &context) {
      all.push_back(a);
    }
  }
  for (const Allocation& a : all) {
    release(context, a.data, a.device);
  }
}

const Allocation* find(const void* data, std::size_t bytes, bool device) {
  const auto* first = static_cast<const std::byte*>(data);
  for (const auto& [start, a] : allocations) {
    const std::byte* begin = device ? on_device(a) : a.data;
    if (begin != nullptr && (device || !a.device) && first >= begin &&
        first + bytes <= begin + a.bytes) {
      return &a;
    }
  }
  return nullptr;
}

void tell_allocations(const Kernels& kernels) {
  for (const auto& [data, a] : allocations) {
    tell(kernels, a);
  }
}

std::size_t used_by_device(const Context& context) { return used(context, true); }

std::string leaks(const Context& context) {
  std::string lines;
  for (const auto& [data, a] : allocations) {
    lines += a.context == &context ? ", " + described(a) : "";
  }
  return lines;
}

}  // namespace sakedge::emulated
