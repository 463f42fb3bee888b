// Writing JSON as the old tool's clients know it: compact, '<', '>', '&' escaped, whole numbers without a point,
// fractions in their shortest form. Not json-glib's generator, which prints 0.1 as 0.10000000000000001.
//
//   Writer w;
//   w.begin_object().put("test_id", id).put_unless_empty("warnings", warnings).begin_array("rows");
//   w.begin_object().put("n", 1).end_object().end_array().end_object();
//   std::string body = w.take();  // ends with a newline
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace avc::json {

template <class T>
concept Whole = std::integral<T> && !std::same_as<T, bool>;

class Writer {
 public:
  // Values of an array, or the one value of a document.
  Writer &begin_object();
  Writer &begin_array();
  Writer &end_object();
  Writer &end_array();
  Writer &value(std::string_view text);
  Writer &value(const char *text) { return value(std::string_view(text)); }
  Writer &value(bool yes);
  Writer &value(double number);  // null when it is not finite: JSON has no such number
  template <Whole T>
  Writer &value(T number) {
    return bare(std::to_string(number));
  }
  Writer &null() { return bare("null"); }
  Writer &raw(std::string_view json) { return bare(json); }  // must be one valid value

  // Members of an object.
  Writer &begin_object(std::string_view key) { return name(key).begin_object(); }
  Writer &begin_array(std::string_view key) { return name(key).begin_array(); }
  Writer &null(std::string_view key) { return name(key).null(); }
  Writer &raw(std::string_view key, std::string_view json) { return name(key).raw(json); }
  template <class T>
  Writer &put(std::string_view key, const T &what) {
    return name(key).value(what);
  }
  template <class T>
  Writer &put(std::string_view key, const std::vector<T> &list) {
    begin_array(key);
    for (const T &item : list) value(item);
    return end_array();
  }

  // Leaves the member out when the value is zero, false, or empty.
  template <class T>
  Writer &put_unless_empty(std::string_view key, const T &what) {
    return what == T{} ? *this : put(key, what);
  }

  std::string take();  // the text with a newline; the writer is empty again

 private:
  Writer &name(std::string_view key);
  Writer &bare(std::string_view text);
  Writer &open(char bracket);
  Writer &close(char bracket);
  void separate();
  void quoted(std::string_view text);

  std::string out_;
  bool first_ = true, named_ = false;
};

std::string json_number(double value);  // as Writer writes it

}  // namespace avc::json
