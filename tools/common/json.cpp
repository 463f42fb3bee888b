#include "tools/common/json.hpp"

#include <charconv>
#include <cmath>
#include <sstream>

#include "core/text.hpp"

namespace avc::tools {
namespace {

constexpr unsigned kMostLevels = 64;  // json-glib recurses; no text of ours is deeper than ten

std::vector<std::string> split_path(const std::string &path) {
  std::vector<std::string> steps;
  std::istringstream stream(path);
  for (std::string step; std::getline(stream, step, '.');) steps.push_back(step);
  if (!path.empty() && path.back() == '.') steps.emplace_back();
  return steps;
}

std::optional<guint> as_index(const std::string &step) {
  guint index = 0;
  const auto [end, fault] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (fault != std::errc() || end != step.data() + step.size()) return std::nullopt;
  return index;
}

Ptr<JsonNode> value_node(const std::string &value) {
  if (auto parsed = parse_json(value)) return std::move(*parsed);
  JsonNode *node = json_node_alloc();
  json_node_init_string(node, value.c_str());
  return take(node);
}

// The node one step below, made as an object where an object lacks it. Null: cannot go there.
JsonNode *step_into(JsonNode *node, const std::string &step) {
  if (JSON_NODE_HOLDS_ARRAY(node)) {
    const auto index = as_index(step);
    JsonArray *array = json_node_get_array(node);
    return index && *index < json_array_get_length(array) ? json_array_get_element(array, *index) : nullptr;
  }
  if (!JSON_NODE_HOLDS_OBJECT(node)) return nullptr;
  JsonObject *object = json_node_get_object(node);
  if (!json_object_has_member(object, step.c_str()))
    json_object_set_object_member(object, step.c_str(), json_object_new());
  return json_object_get_member(object, step.c_str());
}

}  // namespace

Json Json::operator[](const char *member) const {
  if (!is_object()) return Json();
  return Json(json_object_get_member(json_node_get_object(node_), member));
}

Json Json::at(std::size_t index) const {
  return index < size() ? Json(json_array_get_element(json_node_get_array(node_), static_cast<guint>(index))) : Json();
}

std::size_t Json::size() const {
  return node_ && JSON_NODE_HOLDS_ARRAY(node_) ? json_array_get_length(json_node_get_array(node_)) : 0;
}

std::vector<std::string> Json::members() const {
  std::vector<std::string> names;
  if (!is_object()) return names;
  GList *list = json_object_get_members(json_node_get_object(node_));
  for (GList *l = list; l; l = l->next) names.emplace_back(static_cast<const char *>(l->data));
  g_list_free(list);
  return names;
}

bool Json::exists() const { return node_ && !JSON_NODE_HOLDS_NULL(node_); }
bool Json::is_object() const { return node_ && JSON_NODE_HOLDS_OBJECT(node_); }

std::optional<double> Json::number() const {
  if (!node_ || !JSON_NODE_HOLDS_VALUE(node_)) return std::nullopt;
  const GType type = json_node_get_value_type(node_);
  if (type == G_TYPE_INT64) return static_cast<double>(json_node_get_int(node_));
  if (type == G_TYPE_DOUBLE) return json_node_get_double(node_);
  return std::nullopt;
}

std::optional<std::string> Json::text() const {
  if (!node_ || !JSON_NODE_HOLDS_VALUE(node_) || json_node_get_value_type(node_) != G_TYPE_STRING) return std::nullopt;
  return std::string(json_node_get_string(node_));
}

bool Json::truth() const {
  return node_ && JSON_NODE_HOLDS_VALUE(node_) && json_node_get_value_type(node_) == G_TYPE_BOOLEAN &&
         json_node_get_boolean(node_);
}

std::string Json::json() const { return node_ ? to_text(node_, true) : "null"; }

std::string Json::scalar() const {
  if (auto words = text()) return *words;
  if (auto value = number()) {
    std::ostringstream out;
    out.precision(10);
    out << *value;
    return out.str();
  }
  return {};
}

std::string without_comments(std::string_view text) {
  std::string out(text);
  bool in_string = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (in_string) {
      if (out[i] == '\\')
        ++i;
      else if (out[i] == '"')
        in_string = false;
    } else if (out[i] == '"') {
      in_string = true;
    } else if (out.compare(i, 2, "//") == 0) {
      for (; i < out.size() && out[i] != '\n'; ++i) out[i] = ' ';
    } else if (out.compare(i, 2, "/*") == 0) {
      const std::size_t found = out.find("*/", i + 2);
      const std::size_t end = found == std::string::npos ? out.size() : found + 2;
      for (; i < end; ++i)
        if (out[i] != '\n') out[i] = ' ';
      --i;
    }
  }
  return out;
}

Result<Ptr<JsonNode>> parse_json(std::string_view text) {
  const std::string plain = without_comments(text);
  if (nests_deeper(plain, kMostLevels)) return Error{"", "is nested deeper than 64 levels"};
  const auto parser = take(json_parser_new());
  GError *fault = nullptr;
  if (!json_parser_load_from_data(parser.get(), plain.data(), static_cast<gssize>(plain.size()), &fault)) {
    const auto owned = take(fault);
    std::string message = owned->message;
    if (message.starts_with("<data>:")) message = "line " + message.substr(7);
    return Error{"", message};
  }
  JsonNode *root = json_parser_steal_root(parser.get());
  if (!root) return Error{"", "is empty"};
  return take(root);
}

std::string to_text(JsonNode *node, bool pretty) { return take(json_to_string(node, pretty)).get(); }

std::string quoted(const std::string &text) {
  JsonNode *node = json_node_alloc();
  json_node_init_string(node, text.c_str());
  return to_text(take(node).get(), false);
}

std::optional<Error> set_path(JsonNode *root, const std::string &path, const std::string &value) {
  const auto steps = split_path(path);
  for (const auto &step : steps)
    if (step.empty()) return Error{path, "is not a path (expected names joined by dots, such as video.fps)"};
  if (steps.empty()) return Error{path, "is not a path (expected names joined by dots, such as video.fps)"};
  JsonNode *at = root;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    at = step_into(at, steps[i]);
    if (!at) return Error{path, "there is no " + steps[i] + " to go into"};
  }
  const std::string &last = steps.back();
  if (JSON_NODE_HOLDS_ARRAY(at)) return Error{path, "is one element of a list: set the list, or a member of it"};
  if (!JSON_NODE_HOLDS_OBJECT(at)) return Error{path, "is inside something that is not an object"};
  json_object_set_member(json_node_get_object(at), last.c_str(), value_node(value).release());
  return std::nullopt;
}

}  // namespace avc::tools
