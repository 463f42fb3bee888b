// Counts what the program allocates. It replaces operator new: for one source file of a test program, which has no
// other.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

static std::atomic<long> g_allocations = 0;

// All other forms of new and delete end in these. Not inlined: gcc would see malloc meet delete and warn.
[[gnu::noinline]] void *operator new(std::size_t size) {
  ++g_allocations;
  if (void *memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void *memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }
