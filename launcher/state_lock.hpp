// One daemon for each state directory: its runs and logs have one writer.
#pragma once

#include <string>
#include <utility>

#include "core/result.hpp"

namespace avc::launcher {

class StateLock {
 public:
  // The kernel lets go of it with the process, however that ends. The error names --state-dir.
  static Result<StateLock> take(const std::string &directory);

  StateLock() = default;
  ~StateLock();
  StateLock(StateLock &&other) noexcept : file_(std::exchange(other.file_, -1)) {}
  StateLock &operator=(StateLock &&other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }

 private:
  explicit StateLock(int file) : file_(file) {}

  int file_ = -1;
};

}  // namespace avc::launcher
