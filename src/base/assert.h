// Assertions for our own mistakes. Input from network, files or API servers must never be able to
// trip one.
#pragma once

namespace sluice {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace sluice

#define SLUICE_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::sluice::assertion_failed(#condition, __FILE__, __LINE__))
#ifdef NDEBUG
#define SLUICE_DEBUG_ASSERT(condition) static_cast<void>(0)
#else
#define SLUICE_DEBUG_ASSERT(condition) SLUICE_ASSERT(condition)
#endif
