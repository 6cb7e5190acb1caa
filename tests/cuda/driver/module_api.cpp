// The driver API: modules and their kernels.
#include <cstdio>
#include <cstring>

#include "exported.h"
#include "machine.h"

using namespace sakedge::emulated;

namespace {

// The newest PTX that a driver takes: CUDA 12.0 takes 8.0, 12.6 takes 8.5, 13.0 takes 9.0.
int newest_ptx(int version) {
  const int major = version / 1000 - 4;
  const int minor = version % 1000 / 10;
  return major * 10 + (major == 8 && minor > 5 ? minor - 1 : minor);
}

// The number behind a directive of PTX, digits of a version run together; -1: there is none.
int directive(const std::string& ptx, const char* name) {
  const std::size_t at = ptx.find(name);
  if (at == std::string::npos) {
    return -1;
  }
  int value = 0;
  for (std::size_t i = at + std::strlen(name); i < ptx.size() && ptx[i] != '\n'; ++i) {
    if (ptx[i] >= '0' && ptx[i] <= '9') {
      value = value * 10 + (ptx[i] - '0');
    } else if (ptx[i] != '.' && ptx[i] != ' ' && ptx[i] != '\t') {
      break;
    }
  }
  return value;
}

void log(unsigned count, const CUjit_option* options, void** values, const std::string& words) {
  char* buffer = nullptr;
  std::size_t size = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER) {
      buffer = static_cast<char*>(values[i]);
    } else if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) {
      size = reinterpret_cast<std::size_t>(values[i]);
    }
  }
  if (buffer != nullptr) {
    std::snprintf(buffer, size, "%s", words.c_str());
  }
}

}  // namespace

// Takes PTX that was translated and no machine code: as a device that is newer than a build.
EXPORTED CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned count,
                                     CUjit_option* options, void** values) {
  return in_context("cuModuleLoadDataEx", [&](Context& context) {
    if (std::memcmp(image,
                    "\x7f"
                    "ELF",
                    4) == 0 ||
        std::memcmp(image, "\x50\xed\x55\xba", 4) == 0) {
      return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    const std::string ptx = static_cast<const char*>(image);
    if (directive(ptx, "\n.version ") > newest_ptx(static_cast<int>(number("VERSION")))) {
      return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
    }
    if (directive(ptx, "\n.target sm_") > number("MAJOR") * 10 + number("MINOR")) {
      return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    const std::string library = library_of(ptx);
    auto loaded = std::make_unique<CUmod_st>();
    loaded->kernels = library.empty() ? nullptr : Kernels::load(library);
    if (loaded->kernels == nullptr) {
      log(count, options, values, "this PTX was not translated");
      return CUDA_ERROR_INVALID_PTX;
    }
    loaded->context = &context;
    *module = machine().modules.add(std::move(loaded));
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuModuleUnload(CUmodule module) {
  return in_context("cuModuleUnload",
                    [&](Context&) { return remove(machine().modules, module, "a module"); });
}

EXPORTED CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return in_context("cuModuleGetFunction", [&](Context&) {
    if (!machine().modules.has(module)) {
      return gone("a module");
    }
    auto found = std::make_unique<CUfunc_st>();
    found->module = module;
    found->name = name;
    if (!module->kernels->entry(name, found->threads, found->args)) {
      return CUDA_ERROR_NOT_FOUND;
    }
    *function = module->functions.emplace_back(std::move(found)).get();
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute,
                                     CUfunction function) {
  return in_context("cuFuncGetAttribute", [&](Context&) {
    *value = attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK
                 ? function->threads
                 : static_cast<int>(function->shared);
    return CUDA_SUCCESS;
  });
}

EXPORTED CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute,
                                     int value) {
  return in_context("cuFuncSetAttribute", [&](Context&) {
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0 ||
        value > number("SHARED")) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    function->shared = static_cast<std::size_t>(value);
    return CUDA_SUCCESS;
  });
}
