#include "settings.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "exported.h"

namespace sakedge::emulated {
namespace {

std::mutex mutex;
std::map<std::string, std::string> given;
std::string findings;

const Setting* find(const char* name) {
  for (const Setting& setting : kSettings) {
    if (std::strcmp(setting.name, name) == 0) {
      return &setting;
    }
  }
  return nullptr;
}

}  // namespace

std::string text(const char* name) {
  const std::lock_guard lock(mutex);
  if (const auto found = given.find(name); found != given.end()) {
    return found->second;
  }
  const char* value = std::getenv((std::string("EMULATED_CUDA_") + name).c_str());
  return value != nullptr ? value : find(name)->value;
}

std::int64_t number(const char* name) { return std::atoll(text(name).c_str()); }

void finding(const std::string& what) {
  const std::lock_guard lock(mutex);
  std::fprintf(stderr, "emulated driver: %s\n", what.c_str());
  findings += what + "\n";
}

}  // namespace sakedge::emulated

using sakedge::emulated::find;
using sakedge::emulated::findings;
using sakedge::emulated::given;
using sakedge::emulated::mutex;

// Null value: what the environment says. Returns 0 if there is no such setting.
EXPORTED int emulated_set(const char* name, const char* value) {
  const std::lock_guard lock(mutex);
  if (find(name) == nullptr) {
    return 0;
  }
  if (value == nullptr) {
    given.erase(name);
  } else {
    given[name] = value;
  }
  return 1;
}

// What callers did wrong since the last call, one a line.
EXPORTED const char* emulated_findings() {
  static std::string last;
  const std::lock_guard lock(mutex);
  last = std::exchange(findings, {});
  return last.c_str();
}
