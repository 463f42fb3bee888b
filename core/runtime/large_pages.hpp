// Memory that is large and read all over by every participant's packets: in huge pages where the kernel has them. With
// ordinary ones most of such accesses miss the processor's table of pages, which costs more than the memory itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace avc::runtime {

inline constexpr std::size_t kLargePage = std::size_t{1} << 21;

struct FreePages {
  void operator()(void *memory) const noexcept;
};
// At least so many bytes, aligned to a large page, their contents undefined. Throws std::bad_alloc.
std::unique_ptr<void, FreePages> large_pages(std::size_t bytes);

// Grows at its end; what is in it never moves. The first few take no large page: most have no more than those.
template <class T>
class PagedStore {
 public:
  PagedStore() = default;
  PagedStore(const PagedStore &) = delete;
  PagedStore &operator=(const PagedStore &) = delete;
  ~PagedStore() {
    while (size_ > kFirst) at(--size_).~T();
  }

  T &operator[](std::size_t i) { return at(i); }
  const T &operator[](std::size_t i) const { return at(i); }
  std::size_t size() const { return size_; }
  void grow() {
    if (!first_) first_ = std::make_unique<T[]>(kFirst);
    if (size_ >= kFirst) {
      if ((size_ - kFirst) % kInPage == 0) pages_.push_back(large_pages(kLargePage));
      new (&at(size_)) T();
    }
    ++size_;
  }

 private:
  static constexpr std::size_t kFirst = 16, kInPage = kLargePage / sizeof(T);
  T &at(std::size_t i) const {
    return i < kFirst ? first_[i] : static_cast<T *>(pages_[(i - kFirst) / kInPage].get())[(i - kFirst) % kInPage];
  }

  std::unique_ptr<T[]> first_;
  std::vector<std::unique_ptr<void, FreePages>> pages_;
  std::size_t size_ = 0;
};

}  // namespace avc::runtime
