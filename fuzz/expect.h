// What a fuzz target says when an oracle fails: the law that was broken, then abort.
#pragma once

#include <cstdio>
#include <cstdlib>

#define FUZZ_EXPECT(condition, law)                                                          \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken: %s (%s)\n", __FILE__, __LINE__, law, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
