#include "elements/scheduler/schedule_json.hpp"

#include <json-glib/json-glib.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>

#include "core/text.hpp"

namespace avc::scheduler {
namespace {

constexpr double kLongestSeconds = 1e9;
constexpr unsigned kMostLevels = 32;

struct Unref {
  void operator()(JsonParser *parser) const { g_object_unref(parser); }
};

// The first member with one of these names, spelled with '_' or '-'.
JsonNode *member(JsonObject *object, std::initializer_list<const char *> names) {
  for (std::string name : names) {
    if (JsonNode *node = json_object_get_member(object, name.c_str()))
      return JSON_NODE_HOLDS_NULL(node) ? nullptr : node;
    std::ranges::replace(name, '_', '-');
    if (JsonNode *node = json_object_get_member(object, name.c_str()))
      return JSON_NODE_HOLDS_NULL(node) ? nullptr : node;
  }
  return nullptr;
}

bool is_number(JsonNode *node) {
  if (!JSON_NODE_HOLDS_VALUE(node)) return false;
  const GType type = json_node_get_value_type(node);
  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

bool is_text(JsonNode *node) { return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING; }

// One spike's fields. The first fault ends the reading.
class Reader {
 public:
  Reader(JsonObject *object, std::string path) : object_(object), path_(std::move(path)) {}

  Result<spike::Spike> read() {
    spike::Spike spike;
    spike.id = text({"spike_id", "id"}, "spike_id");
    spike.type = text({"type"}, "type");
    spike.offset = from_seconds(seconds({"start_seconds", "start_offset_seconds"}, "start_seconds").value_or(0));
    const auto end = seconds({"end_seconds"}, "end_seconds");
    const auto duration = seconds({"duration_seconds"}, "duration_seconds");
    if (end) {
      spike.duration = from_seconds(*end) - spike.offset;
      if (*spike.duration <= Nanos{}) fault("end_seconds", "is not after the start");
    } else if (duration && *duration > 0) {
      spike.duration = from_seconds(*duration);
    }
    participants(spike.participants);
    params(spike.params);
    if (fault_) return *fault_;
    return spike;
  }

 private:
  void fault(const std::string &field, const char *message) {
    if (!fault_) fault_ = Error{path_ + "." + field, message};
  }

  std::string text(std::initializer_list<const char *> names, const char *field) {
    JsonNode *node = member(object_, names);
    const char *value = node && is_text(node) ? json_node_get_string(node) : "";
    if (*value == '\0') fault(field, "is missing, empty or not text");
    return value;
  }

  std::optional<double> seconds(std::initializer_list<const char *> names, const char *field) {
    JsonNode *node = member(object_, names);
    if (!node) return std::nullopt;
    const double value = is_number(node) ? json_node_get_double(node) : -1;
    if (!(value >= 0 && value <= kLongestSeconds)) {
      fault(field, "is not a number of seconds from 0");
      return std::nullopt;
    }
    return value;
  }

  void participants(std::vector<std::uint32_t> &ids) {
    JsonNode *node = member(object_, {"participant_ids"});
    if (!node) return;
    if (!JSON_NODE_HOLDS_ARRAY(node)) return fault("participant_ids", "is not an array");
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
      JsonNode *item = json_array_get_element(array, i);
      const gint64 id = is_number(item) ? json_node_get_int(item) : -1;
      if (id < 0 || id > G_MAXUINT32) return fault("participant_ids", "has something that is no participant id");
      ids.push_back(static_cast<std::uint32_t>(id));
    }
  }

  void params(spike::Params &params) {
    JsonNode *node = member(object_, {"params"});
    if (!node) return;
    if (!JSON_NODE_HOLDS_OBJECT(node)) return fault("params", "is not an object");
    JsonObjectIter iter;
    json_object_iter_init(&iter, json_node_get_object(node));
    const gchar *name = nullptr;
    JsonNode *value = nullptr;
    while (json_object_iter_next(&iter, &name, &value)) {
      if (is_number(value)) {
        params[name] = json_node_get_double(value);
      } else if (is_text(value)) {
        params[name] = std::string(json_node_get_string(value));
      } else {
        return fault("params." + std::string(name), "is neither a number nor text");
      }
    }
  }

  JsonObject *object_;
  std::string path_;
  std::optional<Error> fault_;
};

JsonArray *array_of(JsonNode *root) {
  if (root && JSON_NODE_HOLDS_OBJECT(root)) root = member(json_node_get_object(root), {"spikes"});
  return root && JSON_NODE_HOLDS_ARRAY(root) ? json_node_get_array(root) : nullptr;
}

}  // namespace

Result<std::vector<spike::Spike>> read_spikes(const std::string &json) {
  if (nests_deeper(json, kMostLevels)) return Error{"", "is nested deeper than 32 levels"};
  const std::unique_ptr<JsonParser, Unref> parser(json_parser_new());
  GError *error = nullptr;
  if (!json_parser_load_from_data(parser.get(), json.data(), static_cast<gssize>(json.size()), &error)) {
    Error fault{"", std::string("is not JSON: ") + error->message};
    g_error_free(error);
    return fault;
  }
  JsonArray *array = array_of(json_parser_get_root(parser.get()));
  if (!array) return Error{"spikes", "is not an array"};
  if (json_array_get_length(array) > kMostSpikes) return Error{"spikes", "has more than 10000 spikes"};
  std::vector<spike::Spike> spikes;
  spikes.reserve(json_array_get_length(array));
  for (guint i = 0; i < json_array_get_length(array); i++) {
    const std::string path = "spikes[" + std::to_string(i) + "]";
    JsonNode *node = json_array_get_element(array, i);
    if (!JSON_NODE_HOLDS_OBJECT(node)) return Error{path, "is not an object"};
    auto spike = Reader(json_node_get_object(node), path).read();
    if (!spike) return spike.error();
    spikes.push_back(*std::move(spike));
  }
  return spikes;
}

std::vector<spike::Planned> as_planned(std::vector<spike::Spike> spikes) {
  std::vector<spike::Planned> planned;
  planned.reserve(spikes.size());
  for (auto &spike : spikes) {
    const Instant start{spike.offset}, end = spike.duration ? start + *spike.duration : Instant::never();
    planned.push_back({std::move(spike), start, end});
  }
  return planned;
}

}  // namespace avc::scheduler
