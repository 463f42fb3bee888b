// First in, first out, in one vector that grows to the most ever held and is then reused.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace avc::net {

template <class T>
class Ring {
 public:
  void push(T item) {
    if (count_ == slots_.size()) {
      std::vector<T> larger(slots_.empty() ? 16 : 2 * slots_.size());
      for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move((*this)[i]);
      slots_.swap(larger);
      first_ = 0;
    }
    slots_[(first_ + count_++) & (slots_.size() - 1)] = std::move(item);
  }
  void pop() {
    first_ = (first_ + 1) & (slots_.size() - 1);
    --count_;
  }
  void clear() { first_ = count_ = 0; }

  T &front() { return slots_[first_]; }
  const T &front() const { return slots_[first_]; }
  T &operator[](std::size_t i) { return slots_[(first_ + i) & (slots_.size() - 1)]; }
  const T &operator[](std::size_t i) const { return slots_[(first_ + i) & (slots_.size() - 1)]; }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

 private:
  std::vector<T> slots_;  // size 0 or a power of two
  std::size_t first_ = 0, count_ = 0;
};

}  // namespace avc::net
