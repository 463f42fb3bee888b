#include "launcher/http/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace avc::json {
namespace {

constexpr std::string_view kReplacement = "\\ufffd";

// Length of the well-formed UTF-8 sequence at the front, 0 if there is none (RFC 3629 section 4).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

void escape(std::string &out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out.append({'\\', c});
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
    out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
  } else {
    out += c;
  }
}

}  // namespace

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return std::string(buffer.data(), end.ptr);
}

Writer &Writer::begin_object() { return open('{'); }
Writer &Writer::begin_array() { return open('['); }
Writer &Writer::end_object() { return close('}'); }
Writer &Writer::end_array() { return close(']'); }
Writer &Writer::value(bool yes) { return bare(yes ? "true" : "false"); }
Writer &Writer::value(double number) { return bare(json_number(number)); }

Writer &Writer::value(std::string_view text) {
  separate();
  quoted(text);
  return *this;
}

Writer &Writer::name(std::string_view key) {
  separate();
  quoted(key);
  out_ += ':';
  named_ = true;
  return *this;
}

Writer &Writer::bare(std::string_view text) {
  separate();
  out_ += text;
  return *this;
}

Writer &Writer::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

Writer &Writer::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

void Writer::separate() {
  if (!first_ && !named_) out_ += ',';
  first_ = named_ = false;
}

void Writer::quoted(std::string_view text) {
  out_ += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 1) {
      escape(out_, text.front());
    } else if (text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9")) {
      out_ += text[2] == '\xA8' ? "\\u2028" : "\\u2029";
    } else {
      out_ += length == 0 ? kReplacement : text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out_ += '"';
}

std::string Writer::take() {
  std::string text = std::exchange(out_, {}) + "\n";
  first_ = true;
  named_ = false;
  return text;
}

}  // namespace avc::json
