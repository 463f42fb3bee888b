#include "core/runtime/large_pages.hpp"

#include <sys/mman.h>

#include <cstdlib>

namespace avc::runtime {

void FreePages::operator()(void *memory) const noexcept { std::free(memory); }

std::unique_ptr<void, FreePages> large_pages(std::size_t bytes) {
  const std::size_t whole = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  void *memory = std::aligned_alloc(kLargePage, whole);
  if (memory == nullptr) throw std::bad_alloc();
  madvise(memory, whole, MADV_HUGEPAGE);  // ordinary pages do too
  return std::unique_ptr<void, FreePages>(memory);
}

}  // namespace avc::runtime
