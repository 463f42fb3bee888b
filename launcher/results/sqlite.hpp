// SQLite's connections and prepared statements as values with an owner. Errors are return values; nothing throws.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace avc::results::sqlite {

struct Closer {
  void operator()(sqlite3 *db) const noexcept { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt *statement) const noexcept { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, Closer>;

// A statement that is reset before each use and keeps no reference to what was bound to it.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3 *db, const char *sql) {
    sqlite3_stmt *raw = nullptr;
    sqlite3_prepare_v2(db, sql, -1, &raw, nullptr);
    statement_.reset(raw);
  }
  explicit operator bool() const { return statement_ != nullptr; }

  // Binds all parameters from the first one on and runs to the first row or the end: SQLITE_ROW, SQLITE_DONE or an
  // error.
  template <class... Values>
  int run(const Values &...values) {
    if (!statement_) return SQLITE_ERROR;
    sqlite3_reset(statement_.get());
    int place = 0;
    (bind(++place, values), ...);
    return next();
  }
  int next() {
    const int code = sqlite3_step(statement_.get());
    if (code != SQLITE_ROW) sqlite3_reset(statement_.get());
    return code;
  }

  // Columns of the row that run() or next() is at, from 0.
  std::string text(int column) const {
    const auto *bytes = reinterpret_cast<const char *>(sqlite3_column_text(statement_.get(), column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))) : "";
  }
  double real(int column) const { return sqlite3_column_double(statement_.get(), column); }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  bool null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::optional<double> maybe_real(int column) const {
    return null(column) ? std::nullopt : std::optional(real(column));
  }

 private:
  void bind(int place, std::string_view text) {
    sqlite3_bind_text(statement_.get(), place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  void bind(int place, const char *text) { bind(place, std::string_view(text)); }
  void bind(int place, const std::string &text) { bind(place, std::string_view(text)); }
  void bind(int place, double value) { sqlite3_bind_double(statement_.get(), place, value); }
  template <std::integral T>
  void bind(int place, T value) {
    sqlite3_bind_int64(statement_.get(), place, static_cast<std::int64_t>(value));
  }
  void bind(int place, std::nullptr_t) { sqlite3_bind_null(statement_.get(), place); }
  template <class T>
  void bind(int place, const std::optional<T> &value) {
    if (value)
      bind(place, *value);
    else
      bind(place, nullptr);
  }

  std::unique_ptr<sqlite3_stmt, Closer> statement_;
};

}  // namespace avc::results::sqlite
