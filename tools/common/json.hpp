// Reading and editing JSON: a borrowed view that answers "not there" instead of failing, and the two edits that the
// command line makes to a scenario before it is sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "tools/common/ptr.hpp"

namespace avc::tools {

// A look at one value; what is missing, null or of another type reads as absent, at any depth. Does not own.
class Json {
 public:
  explicit Json(JsonNode *node = nullptr) : node_(node) {}

  Json operator[](const char *member) const;
  Json at(std::size_t index) const;
  std::size_t size() const;                  // of an array; 0 for anything else
  std::vector<std::string> members() const;  // names of an object's members, in order

  bool exists() const;  // there and not null
  bool is_object() const;
  std::optional<double> number() const;
  std::optional<std::string> text() const;
  bool truth() const;  // the value true, and nothing else
  std::string text_or(const std::string &fallback) const { return text().value_or(fallback); }
  double number_or(double fallback) const { return number().value_or(fallback); }
  std::string json() const;    // as JSON text, indented; "null" for nothing
  std::string scalar() const;  // a string or a number as people write it; empty otherwise

 private:
  JsonNode *node_;
};

// The error's message says line and column. `//` and `/* */` comments are allowed.
Result<Ptr<JsonNode>> parse_json(std::string_view text);
std::string to_text(JsonNode *node, bool pretty);
std::string quoted(const std::string &text);  // as a JSON string, whatever it looks like

// Blanks out comments (keeping line breaks, so that positions in error texts stay true).
std::string without_comments(std::string_view text);

// Puts `value` at a path such as "video.bitrate_kbps" or "spikes.0.params.loss_percent"; members on the way are
// made; a list's elements must be there, and only what is inside them can be set. A value that is JSON (number, true,
// null, [..], {..}, "..") is taken as such, anything else as a string.
std::optional<Error> set_path(JsonNode *root, const std::string &path, const std::string &value);

}  // namespace avc::tools
