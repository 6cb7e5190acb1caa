#pragma once

#include <string>
#include <utility>
#include <variant>

namespace sakedge {

// The kinds of failure that a caller can distinguish; the bindings turn each into an exception.
enum class Code {
  kOk,
  kInvalid,
  kExhausted,
  kIsaUnknown,
  kIsaUnsupported,
  // Of a CUDA device; see cuda/driver/driver.h.
  kDriverMissing,
  kNoDevice,
  kDeviceMemory,
  kDeviceLost,
  kDriver,
};

// Outcome of an operation: success, or a code and a message that says expected and got.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

// A value, or why there is none.
template <typename T>
class [[nodiscard]] Expected {
 public:
  // Implicit, so that a function returns either as it is.
  // NOLINTBEGIN(misc-explicit-constructor)
  Expected(T value) : state_(std::move(value)) {}
  Expected(Status status) : state_(std::move(status)) {}
  // NOLINTEND(misc-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  const T& value() const { return std::get<T>(state_); }
  T take() && { return std::move(std::get<T>(state_)); }
  const Status& status() const { return std::get<Status>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace sakedge
