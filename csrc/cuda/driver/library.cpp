#include "cuda/driver/library.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace sakedge::cuda {

#ifdef _WIN32

void* open_library(const std::string& name, std::string& error) {
  HMODULE handle = LoadLibraryExA(name.c_str(), nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (handle == nullptr) {
    error = name + " does not load (error " + std::to_string(GetLastError()) + ")";
  }
  return handle;
}

void* function_of(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

#else

void* open_library(const std::string& name, std::string& error) {
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    error = dlerror();
  }
  return handle;
}

void* function_of(void* library, const char* name) { return dlsym(library, name); }

#endif

}  // namespace sakedge::cuda
