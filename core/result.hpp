// A value, or an Error that names what was wrong. Core reports every failure this way and throws nothing.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace avc {

struct Error {
  std::string field;    // the setting, key or file at fault; empty when there is none
  std::string message;  // one line for people, without a full stop

  std::string text() const { return field.empty() ? message : field + ": " + message; }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::move(value)) {}      // NOLINT(google-explicit-constructor): reads as a return value
  Result(Error error) : held_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return std::holds_alternative<T>(held_); }
  T &operator*() & { return checked(); }
  const T &operator*() const & { return const_cast<Result *>(this)->checked(); }
  T &&operator*() && { return std::move(checked()); }
  T *operator->() { return &checked(); }
  const T *operator->() const { return &const_cast<Result *>(this)->checked(); }
  const Error &error() const {
    assert(!*this);
    return std::get<Error>(held_);
  }

 private:
  T &checked() {
    assert(*this);
    return std::get<T>(held_);
  }

  std::variant<T, Error> held_;
};

}  // namespace avc
