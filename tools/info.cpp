// `avchaos version` and `avchaos spikes`: what can be said without a daemon.
#include <cstdio>
#include <string>

#include "core/spike/effect.hpp"
#include "tools/commands.hpp"
#include "tools/common/json.hpp"
#include "tools/render/terminal.hpp"

namespace avc::tools {
namespace {

std::string text(std::string_view view) { return std::string(view); }

std::string types_json() {
  const auto builder = take(json_builder_new());
  JsonBuilder *b = builder.get();
  const auto member = [b](const char *name, std::string_view value) {
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, text(value).c_str());
  };
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "types");
  json_builder_begin_array(b);
  for (const auto &type : spike::types()) {
    json_builder_begin_object(b);
    member("name", type.name);
    member("summary", type.summary);
    json_builder_set_member_name(b, "params");
    json_builder_begin_array(b);
    for (const auto &param : type.params) {
      json_builder_begin_object(b);
      member("name", param.name);
      member("unit", param.unit);
      member("meaning", param.meaning);
      member("range", param.range);
      json_builder_set_member_name(b, "required");
      json_builder_add_boolean_value(b, param.fallback.empty());
      if (!param.fallback.empty()) member("default", param.fallback);
      json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  json_builder_end_object(b);
  return to_text(take(json_builder_get_root(b)).get(), true) + "\n";
}

std::string types_text(std::size_t columns, const render::Paint &paint) {
  std::string out;
  for (const auto &type : spike::types()) {
    out += paint(render::Colour::bold, type.name) + "  " + text(type.summary) + "\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto &param : type.params)
      rows.push_back({text(param.name), text(param.unit), text(param.range),
                      param.fallback.empty() ? "required" : text(param.fallback), text(param.meaning)});
    if (!rows.empty())
      out += render::table({{"parameter"}, {"unit"}, {"range"}, {"default"}, {"meaning"}}, rows, columns, paint);
    out += "\n";
  }
  return out;
}

}  // namespace

Exit version() {
  std::printf("avchaos %s\n", AVC_VERSION);
  return Exit::ok;
}

Exit spikes(bool json) {
  render::Terminal terminal(stdout);
  terminal.text(json ? types_json() : types_text(terminal.columns(), terminal.paint()));
  return Exit::ok;
}

}  // namespace avc::tools
