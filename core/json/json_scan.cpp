// The first look at a text: json-glib's parser recurses without a bound, takes octal and hexadecimal numbers and
// lets long ones wrap, so what reaches it is checked and made plain here. Structure is left for it to judge.
#include <algorithm>
#include <cctype>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/json/json.hpp"

namespace avc::json {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// RFC 8259 section 6.
bool is_number(std::string_view word) {
  std::size_t i = word.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < word.size() && digit(word[i])) ++i;
    return i - from;
  };
  const bool zero = i < word.size() && word[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (i < word.size() && word[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < word.size() && (word[i] == 'e' || word[i] == 'E')) {
    ++i;
    if (i < word.size() && (word[i] == '+' || word[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == word.size();
}

class Scanner {
 public:
  Scanner(std::string_view text, Limits limits) : text_(text), limits_(limits) {}

  Result<std::string> run() {
    if (text_.size() > limits_.bytes) {
      return Error{"", "the text is larger than " + std::to_string(limits_.bytes) + " bytes"};
    }
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
    while (at_ < text_.size() && !finished_) {
      if (auto wrong = step()) return Error{"", "not valid JSON: line " + std::to_string(line()) + ": " + *wrong};
    }
    if (!open_.empty()) return Error{"", "not valid JSON: the text ends early"};
    if (out_.find_first_not_of(" \n\t\r") == out_.npos) return Error{"", "not valid JSON: the text is empty"};
    return std::move(out_);
  }

 private:
  using Wrong = std::optional<std::string>;
  struct Open {
    bool object, key_next;
    std::unordered_set<std::string_view> keys;  // as they are spelled
  };

  Wrong step() {
    const char c = text_[at_];
    if (c == '/') return comment();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return copy(1);
    if (c == '"') return string();
    if (c == '{' || c == '[') {
      if (open_.size() == limits_.depth) return "nested deeper than " + std::to_string(limits_.depth) + " levels";
      open_.push_back({c == '{', c == '{', {}});
      return copy(1);
    }
    if (c == '}' || c == ']') {
      if (open_.empty()) return std::string("unexpected '") + c + "'";
      open_.pop_back();
      finished_ = open_.empty();
      return copy(1);
    }
    if ((c == ',' || c == ':') && !open_.empty()) {
      open_.back().key_next = c == ',' && open_.back().object;
      return copy(1);
    }
    return word();
  }

  Wrong copy(std::size_t count) {
    out_.append(text_, at_, count);
    at_ += count;
    return std::nullopt;
  }

  Wrong string() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') {
      if (static_cast<unsigned char>(text_[end]) < 0x20) return "a string goes on past the end of its line";
      end += text_[end] == '\\' ? 2 : 1;
    }
    if (end >= text_.size()) return "a string has no end";
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    if (holds_nul(inside)) return "a string holds the character \\u0000";
    if (!open_.empty() && std::exchange(open_.back().key_next, false) && !open_.back().keys.insert(inside).second) {
      return "the key \"" + std::string(inside.substr(0, 40)) + "\" is given twice";
    }
    finished_ = open_.empty();
    return copy(end + 1 - at_);
  }

  // json-glib would end the text there.
  static bool holds_nul(std::string_view inside) {
    for (std::size_t i = 0; i + 1 < inside.size(); ++i) {
      if (inside[i] != '\\') continue;
      if (inside.substr(i, 6) == "\\u0000") return true;
      ++i;
    }
    return false;
  }

  Wrong comment() {
    std::size_t end;
    if (text_.substr(at_, 2) == "//") {
      end = std::min(text_.find('\n', at_), text_.size());
    } else if (text_.substr(at_, 2) == "/*") {
      end = text_.find("*/", at_ + 2);
      if (end == text_.npos) return "a comment has no end";
      end += 2;
    } else {
      return "unexpected '/'";
    }
    // Lines stay where they were, for the parser's own messages.
    out_.append(static_cast<std::size_t>(std::count(text_.begin() + at_, text_.begin() + end, '\n')), '\n');
    out_ += ' ';
    at_ = end;
    return std::nullopt;
  }

  Wrong word() {
    std::size_t end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '-' ||
                                  text_[end] == '+' || text_[end] == '.' || text_[end] == '_')) {
      ++end;
    }
    const std::string_view found = text_.substr(at_, std::min<std::size_t>(end - at_, 40));
    if (end == at_) return "unexpected character";
    const bool number = is_number(text_.substr(at_, end - at_));
    if (!number && found != "true" && found != "false" && found != "null") {
      return "unexpected \"" + std::string(found) + "\"";
    }
    const bool wraps = number && end - at_ > 18 && found.find_first_of(".eE") == found.npos;
    finished_ = open_.empty();
    copy(end - at_);
    if (wraps) out_ += ".0";
    return std::nullopt;
  }

  std::size_t line() const {
    return 1 +
           static_cast<std::size_t>(std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
  }

  std::string_view text_;
  Limits limits_;
  std::size_t at_ = 0;
  std::vector<Open> open_;
  bool finished_ = false;
  std::string out_;
};

}  // namespace

Result<std::string> plain_json(std::string_view text, Limits limits) { return Scanner(text, limits).run(); }

}  // namespace avc::json
