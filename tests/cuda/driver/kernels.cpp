#include "kernels.h"

#include <dlfcn.h>

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "emulator/block.h"
#include "memory.h"
#include "settings.h"

namespace sakedge::emulated {
namespace {

std::vector<std::shared_ptr<Kernels>> loaded;
std::map<std::string, std::shared_ptr<Kernels>> by_path;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

const std::vector<std::shared_ptr<Kernels>>& all_kernels() { return loaded; }

std::string library_of(const std::string& image) {
  std::stringstream modules(text("MODULES"));
  for (std::string module; std::getline(modules, module, ':');) {
    const std::size_t equals = module.find('=');
    if (contents(module.substr(0, equals)) == image) {
      return module.substr(equals + 1);
    }
  }
  return {};
}

template <class Function>
void Kernels::resolve(Function& function, void* library, const char* name) {
  function = reinterpret_cast<Function>(dlsym(library, name));
}

std::shared_ptr<Kernels> Kernels::load(const std::string& path) {
  if (const auto found = by_path.find(path); found != by_path.end()) {
    return found->second;
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    finding(std::string("no kernels: ") + dlerror());
    return nullptr;
  }
  auto kernels = std::make_shared<Kernels>();
  kernels->resolve(kernels->allocate_, library, "emulator_allocate");
  kernels->resolve(kernels->release_, library, "emulator_release");
  kernels->resolve(kernels->entry_, library, "emulator_entry");
  kernels->resolve(kernels->launch_, library, "emulator_launch");
  loaded.push_back(kernels);
  by_path[path] = kernels;
  tell_allocations(*kernels);
  return kernels;
}

bool Kernels::entry(const char* name, int& threads, std::size_t& args) const {
  unsigned bytes = 0;
  threads = entry_(name, &bytes);
  args = bytes;
  return threads > 0;
}

std::string Kernels::launch(const char* name, const int (&grid)[3], std::size_t shared,
                            const void* args, std::uint64_t seed) const {
  emulator::Options options;
  options.seed = seed;
  options.races = static_cast<int>(number("RACES"));
  emulator::Counters counters{};
  const char* failure = launch_(name, grid, shared, args, &options, &counters);
  return failure == nullptr ? std::string() : failure;
}

void Kernels::allocate(const void* data, std::size_t bytes, const std::string& name) const {
  allocate_(data, bytes, name.c_str(), 1);
}

void Kernels::release(const void* data) const { release_(data); }

}  // namespace sakedge::emulated
