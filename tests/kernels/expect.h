#pragma once

#include <cstdio>
#include <cstdlib>

// Ends the test with the place and the condition that does not hold. Not assert: it stays in
// Release.
#define EXPECT(condition)                                                           \
  do {                                                                              \
    if (!(condition)) {                                                             \
      std::fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                 \
    }                                                                               \
  } while (false)
