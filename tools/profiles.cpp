// `avchaos profiles`: named network conditions, those of the program or those of a daemon, which may have more.
#include <string>
#include <vector>

#include "core/net/profiles.hpp"
#include "core/net/settings.hpp"
#include "core/text.hpp"
#include "tools/commands.hpp"
#include "tools/common/json.hpp"
#include "tools/common/server.hpp"
#include "tools/render/terminal.hpp"

namespace avc::tools {
namespace {

std::string built_in_json() {
  const auto builder = take(json_builder_new());
  JsonBuilder *b = builder.get();
  const auto member = [b](const char *name, std::string_view value) {
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, std::string(value).c_str());
  };
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "profiles");
  json_builder_begin_array(b);
  for (const net::Profile &profile : net::profiles()) {
    json_builder_begin_object(b);
    member("name", profile.name);
    member("summary", profile.summary);
    member("source", profile.source);
    json_builder_set_member_name(b, "settings");
    json_builder_begin_object(b);
    for (const auto &[name, value] : net::settings_of(*net::profile(profile.name))) {
      if (const auto *number = std::get_if<double>(&value)) {
        json_builder_set_member_name(b, name.c_str());
        json_builder_add_double_value(b, *number);
      } else {
        member(name.c_str(), std::get<std::string>(value));
      }
    }
    json_builder_end_object(b);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  json_builder_end_object(b);
  return to_text(take(json_builder_get_root(b)).get(), false);
}

std::string settings_text(Json settings) {
  std::string text;
  for (const std::string &name : settings.members()) {
    const Json value = settings[name.c_str()];
    const auto number = value.number();
    text += (text.empty() ? "" : ", ") + name + " " + (number ? number_text(*number) : value.text_or(""));
  }
  return text;
}

std::string table_of(Json profiles, std::size_t columns, const render::Paint &paint) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    const Json one = profiles.at(i);
    const std::string summary = one["summary"].text_or("");
    rows.push_back({one["name"].text_or(""), settings_text(one["settings"]),
                    one["source"].text_or("") + (summary.empty() ? "" : " (" + summary + ")")});
  }
  return render::table({{"profile"}, {"settings"}, {"source"}}, rows, columns, paint);
}

}  // namespace

Exit profiles(const std::string &base_url, bool json) {
  const std::string text =
      base_url.empty() ? built_in_json() : Server::at(base_url).http().expect("GET", "/api/v1/profiles").body;
  const auto parsed = parse_json(text);
  if (!parsed) throw Failure(Exit::other, base_url + ": the profiles cannot be read: " + parsed.error().message);
  render::Terminal terminal(stdout);
  terminal.text(json ? to_text(parsed->get(), true) + "\n"
                     : table_of(Json(parsed->get())["profiles"], terminal.columns(), terminal.paint()));
  return Exit::ok;
}

}  // namespace avc::tools
