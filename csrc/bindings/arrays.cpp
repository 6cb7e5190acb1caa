#include "bindings/arrays.h"

namespace sakedge::bindings {

void require(bool condition, const char* what) {
  if (!condition) {
    throw pybind11::value_error(what);
  }
}

View<const float> matrix(const Floats& array) {
  require(array.ndim() == 2, "expected a matrix");
  return dense(array.data(), array.shape(0), array.shape(1));
}

Vector vector(const Floats& array) {
  require(array.ndim() == 1, "expected a vector");
  return {array.data(), static_cast<std::size_t>(array.size())};
}

LinearSource linear(const FloatPair& weight_and_bias) {
  return {matrix(weight_and_bias.first), vector(weight_and_bias.second)};
}

NormSource norm(const FloatPair& gamma_and_beta) {
  return {vector(gamma_and_beta.first), vector(gamma_and_beta.second)};
}

}  // namespace sakedge::bindings
