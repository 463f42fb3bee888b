// Looks into a report.json that this program wrote: absent members and other types read as nothing, so that a report
// of an older format still gives the page it can. Not for what strangers send (that is http/json.hpp).
#pragma once

#include <json-glib/json-glib.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace avc::results {

class View {
 public:
  View() = default;
  explicit View(JsonNode *node) : node_(node) {}

  View operator[](const char *key) const {
    if (!node_ || !JSON_NODE_HOLDS_OBJECT(node_)) return {};
    return View(json_object_get_member(json_node_get_object(node_), key));
  }
  explicit operator bool() const { return node_ && !JSON_NODE_HOLDS_NULL(node_); }

  std::optional<double> number() const {
    if (!node_ || !JSON_NODE_HOLDS_VALUE(node_)) return std::nullopt;
    const GType type = json_node_get_value_type(node_);
    if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64) return std::nullopt;
    return json_node_get_double(node_);
  }
  double number_or(double otherwise) const { return number().value_or(otherwise); }
  bool yes() const {
    return node_ && JSON_NODE_HOLDS_VALUE(node_) && json_node_get_value_type(node_) == G_TYPE_BOOLEAN &&
           json_node_get_boolean(node_);
  }
  std::string text() const {
    if (!node_ || !JSON_NODE_HOLDS_VALUE(node_) || json_node_get_value_type(node_) != G_TYPE_STRING) return {};
    return json_node_get_string(node_);
  }
  std::vector<View> items() const {
    std::vector<View> out;
    if (!node_ || !JSON_NODE_HOLDS_ARRAY(node_)) return out;
    JsonArray *array = json_node_get_array(node_);
    for (guint i = 0; i < json_array_get_length(array); ++i) out.emplace_back(json_array_get_element(array, i));
    return out;
  }
  std::vector<std::pair<std::string, View>> members() const {
    std::vector<std::pair<std::string, View>> out;
    if (!node_ || !JSON_NODE_HOLDS_OBJECT(node_)) return out;
    JsonObject *object = json_node_get_object(node_);
    GList *keys = json_object_get_members(object);
    for (GList *key = keys; key; key = key->next) {
      const auto *name = static_cast<const char *>(key->data);
      out.emplace_back(name, View(json_object_get_member(object, name)));
    }
    g_list_free(keys);
    return out;
  }
  // The value as JSON text, indented.
  std::string json() const;

 private:
  JsonNode *node_ = nullptr;
};

// Owns the tree that its views look into.
class Report {
 public:
  explicit Report(std::string_view json);
  View root() const { return View(node_.get()); }

 private:
  struct Freer {
    void operator()(JsonNode *node) const noexcept { json_node_unref(node); }
  };
  std::unique_ptr<JsonNode, Freer> node_;  // null when the text is no JSON
};

}  // namespace avc::results
