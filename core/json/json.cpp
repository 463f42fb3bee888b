#include "core/json/json.hpp"

#include <algorithm>
#include <cmath>

#include <json-glib/json-glib.h>

#include "core/text.hpp"

namespace avc::json {
namespace {

constexpr guint kMostKeys = 500;

std::string plain_key(std::string_view key) {
  std::string plain = setting_name(key);
  for (char &c : plain) c = g_ascii_tolower(c);
  return plain;
}

// Foreign words in messages: one line, and not endless.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 64));
  for (char &c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string_view kind_text(Value::Kind kind) {
  constexpr std::string_view names[] = {"null", "true or false", "a number", "a text", "a list", "an object"};
  return names[static_cast<std::size_t>(kind)];
}

std::string range_text(double low, double high) { return number_text(low) + " to " + number_text(high); }

std::optional<Value> expect(const Value &value, Value::Kind wanted) {
  if (value.kind() == wanted) return value;
  value.fault("must be " + std::string(kind_text(wanted)) + ", not " + std::string(kind_text(value.kind())));
  return std::nullopt;
}

}  // namespace

void Notes::fault(std::string field, std::string message) {
  if (faults.size() < kMost) faults.push_back({std::move(field), std::move(message)});
}

void Notes::warn(std::string message) {
  if (warnings.size() < kMost) warnings.push_back(std::move(message));
}

Value::Kind Value::kind() const {
  if (JSON_NODE_HOLDS_OBJECT(node_)) return Kind::object;
  if (JSON_NODE_HOLDS_ARRAY(node_)) return Kind::array;
  if (JSON_NODE_HOLDS_NULL(node_)) return Kind::null;
  const GType type = json_node_get_value_type(node_);
  if (type == G_TYPE_BOOLEAN) return Kind::boolean;
  return type == G_TYPE_STRING ? Kind::text : Kind::number;
}

std::optional<bool> Value::boolean() const {
  if (!expect(*this, Kind::boolean)) return std::nullopt;
  return json_node_get_boolean(node_) != FALSE;
}

std::optional<double> Value::number(double low, double high) const {
  if (!expect(*this, Kind::number)) return std::nullopt;
  const double value = json_node_get_double(node_);
  if (value >= low && value <= high) return value;  // written so that NaN fails
  fault(number_text(value) + " is not accepted; it must be " + range_text(low, high));
  return std::nullopt;
}

std::optional<std::int64_t> Value::integer(std::int64_t low, std::int64_t high) const {
  const auto value = number(static_cast<double>(low), static_cast<double>(high));
  if (!value) return std::nullopt;
  if (json_node_get_value_type(node_) == G_TYPE_INT64) return json_node_get_int(node_);
  if (*value == std::trunc(*value) && std::abs(*value) < 0x1p53) return static_cast<std::int64_t>(*value);
  fault(number_text(*value) + " is not accepted; it must be a whole number");
  return std::nullopt;
}

std::optional<std::string> Value::text(std::size_t longest) const { return text_without(longest, true); }

std::optional<std::string> Value::lines(std::size_t longest) const { return text_without(longest, false); }

std::optional<std::string> Value::text_without(std::size_t longest, bool line_ends) const {
  if (!expect(*this, Kind::text)) return std::nullopt;
  std::string value = json_node_get_string(node_);
  if (value.size() > longest) {
    fault("is longer than " + std::to_string(longest) + " bytes");
    return std::nullopt;
  }
  if (std::any_of(value.begin(), value.end(), [&](char c) {
        const bool ends_line = c == '\r' || c == '\n';
        return (static_cast<unsigned char>(c) < 0x20 && (line_ends || !ends_line)) || c == 0x7f;
      })) {
    fault("must not hold control characters");
    return std::nullopt;
  }
  return value;
}

std::vector<Value> Value::array(std::size_t longest) const {
  std::vector<Value> values;
  if (!expect(*this, Kind::array)) return values;
  JsonArray *list = json_node_get_array(node_);
  const std::size_t count = json_array_get_length(list);
  if (count > longest) {
    fault("has " + std::to_string(count) + " entries; at most " + std::to_string(longest) + " are accepted");
    return values;
  }
  for (std::size_t i = 0; i < count; ++i) {
    JsonNode *node = json_array_get_element(list, static_cast<guint>(i));
    values.emplace_back(node, path_ + "[" + std::to_string(i) + "]", *notes_);
  }
  return values;
}

std::optional<Object> Value::object() const {
  if (!expect(*this, Kind::object)) return std::nullopt;
  return Object(json_node_get_object(node_), path_, *notes_);
}

Object::Object(JsonObject *object, std::string path, Notes &notes) : path_(std::move(path)), notes_(&notes) {
  if (const guint count = json_object_get_size(object); count > kMostKeys) {
    notes.fault(path_,
                "has " + std::to_string(count) + " keys; at most " + std::to_string(kMostKeys) + " are accepted");
    return;
  }
  JsonObjectIter iter;
  json_object_iter_init_ordered(&iter, object);
  const char *key = nullptr;
  JsonNode *node = nullptr;
  while (json_object_iter_next_ordered(&iter, &key, &node)) {
    Member member{key, plain_key(key), node};
    const auto same =
        std::find_if(members_.begin(), members_.end(), [&](const Member &m) { return m.plain == member.plain; });
    if (same == members_.end()) {
      members_.push_back(std::move(member));
    } else {
      notes.fault(path_of(key), "the same setting as " + shown(same->key) + ", given twice");
    }
  }
}

std::string Object::path_of(std::string_view key) const {
  return path_.empty() ? shown(key) : path_ + "." + shown(key);
}

std::optional<Value> Object::get(std::string_view key) {
  known_.push_back(key);
  const std::string plain = plain_key(key);
  for (Member &member : members_) {
    if (member.plain != plain) continue;
    member.asked = true;
    if (JSON_NODE_HOLDS_NULL(member.node)) return std::nullopt;
    return Value(member.node, path_of(member.key), *notes_);
  }
  return std::nullopt;
}

std::optional<bool> Object::boolean(std::string_view key) {
  const auto value = get(key);
  return value ? value->boolean() : std::nullopt;
}

std::optional<double> Object::number(std::string_view key, double low, double high) {
  const auto value = get(key);
  return value ? value->number(low, high) : std::nullopt;
}

std::optional<std::int64_t> Object::integer(std::string_view key, std::int64_t low, std::int64_t high) {
  const auto value = get(key);
  return value ? value->integer(low, high) : std::nullopt;
}

std::optional<std::string> Object::text(std::string_view key, std::size_t longest) {
  const auto value = get(key);
  return value ? value->text(longest) : std::nullopt;
}

std::vector<Value> Object::array(std::string_view key, std::size_t longest) {
  const auto value = get(key);
  return value ? value->array(longest) : std::vector<Value>{};
}

std::optional<Object> Object::object(std::string_view key) {
  const auto value = get(key);
  return value ? value->object() : std::nullopt;
}

std::vector<std::pair<std::string, Value>> Object::members() {
  std::vector<std::pair<std::string, Value>> all;
  for (Member &member : members_) {
    member.asked = true;
    if (!JSON_NODE_HOLDS_NULL(member.node))
      all.emplace_back(member.key, Value(member.node, path_of(member.key), *notes_));
  }
  return all;
}

void Object::done() {
  for (const Member &member : members_) {
    if (member.asked) continue;
    std::string text = unknown_text("key", shown(member.key), known_);
    if (notes_->unknown_keys_are_faults) {
      notes_->fault(path_of(member.key), std::move(text));
    } else {
      notes_->warn(path_of(member.key) + ": " + text + " (ignored)");
    }
  }
}

Result<Document> Document::parse(std::string_view text, Limits limits) {
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr))
    return Error{"", "not valid JSON: the text is not UTF-8, or holds a zero byte"};
  auto plain = plain_json(text, limits);
  if (!plain) return plain.error();
  GError *error = nullptr;
  JsonNode *node = json_from_string(plain->c_str(), &error);
  if (!node) {
    std::string message = error ? error->message : "the text is empty";
    if (message.starts_with("<data>:")) message.replace(0, 7, "line ");
    g_clear_error(&error);
    return Error{"", "not valid JSON: " + shown(message)};
  }
  return Document(node, std::move(*plain));
}

void Document::Freer::operator()(JsonNode *node) const noexcept { json_node_unref(node); }

}  // namespace avc::json
