#include "launcher/results/json_view.hpp"

namespace avc::results {

std::string View::json() const {
  if (!node_) return {};
  char *text = json_to_string(node_, TRUE);
  std::string out(text);
  g_free(text);
  return out;
}

Report::Report(std::string_view json) {
  JsonParser *parser = json_parser_new_immutable();
  if (json_parser_load_from_data(parser, json.data(), static_cast<gssize>(json.size()), nullptr))
    if (JsonNode *root = json_parser_get_root(parser)) node_.reset(json_node_ref(root));
  g_object_unref(parser);
}

}  // namespace avc::results
