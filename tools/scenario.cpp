#include "tools/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <sstream>
#include <system_error>

#include <glib.h>

#include "core/text.hpp"
#include "tools/common/json.hpp"
#include "tools/common/words.hpp"

namespace avc::tools {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void refuse(const std::string &message) { throw Failure(Exit::bad_input, message); }

void set_or_refuse(JsonNode *root, const std::string &flag, const std::string &path, const std::string &value) {
  if (const auto fault = set_path(root, path, value)) refuse(flag + " " + fault->text());
}

std::pair<std::string, std::string> name_and_value(const std::string &flag, const std::string &text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse(flag + " \"" + text + "\": expected NAME=VALUE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// 1e400 reads as infinite, which JSON cannot say again.
void refuse_infinite(JsonNode *node, const std::string &path) {
  const auto below = [&](const std::string &step) { return path.empty() ? step : path + "." + step; };
  if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_DOUBLE &&
      !std::isfinite(json_node_get_double(node)))
    refuse(path + ": is a number beyond what JSON carries");
  if (JSON_NODE_HOLDS_OBJECT(node))
    for (const auto &member : Json(node).members())
      refuse_infinite(json_object_get_member(json_node_get_object(node), member.c_str()), below(member));
  if (JSON_NODE_HOLDS_ARRAY(node))
    for (guint i = 0; i < json_array_get_length(json_node_get_array(node)); ++i)
      refuse_infinite(json_array_get_element(json_node_get_array(node), i), below(std::to_string(i)));
}

std::string number_text(double value) {
  std::ostringstream out;
  out.precision(12);
  out << value;
  return out.str();
}

Ptr<JsonNode> parse_or_refuse(const std::string &name, const std::string &text) {
  auto parsed = parse_json(text);
  if (!parsed) refuse(name + ": " + parsed.error().message);
  if (!JSON_NODE_HOLDS_OBJECT(parsed->get())) refuse(name + ": is not a JSON object");
  return std::move(*parsed);
}

// A daemon of ours plays what its user could open anyway: the files the scenario names, relative to itself or to the
// working directory, and what lies in these two.
std::vector<fs::path> media_directories(Json scenario, const fs::path &folder) {
  std::vector<fs::path> found;
  const auto add = [&found](const fs::path &directory) {
    std::error_code fault;
    const fs::path real = fs::canonical(directory, fault);
    if (!fault && fs::is_directory(real, fault) && std::find(found.begin(), found.end(), real) == found.end())
      found.push_back(real);
  };
  add(folder);
  add(fs::current_path());
  const Json media = scenario["media"];
  for (const Json &named :
       {scenario["media_path"], media["path"], media["video_path"], media["audio_path"], scenario["replay_log"]}) {
    const auto path = named.text();
    if (!path || path->empty()) continue;
    add((folder / *path).parent_path());
    add((fs::current_path() / *path).parent_path());
  }
  return found;
}

// "5/s" or "30s" as the scenario has it.
std::string ramp_of(const std::string &typed) {
  const std::string_view text = typed;
  if (text.ends_with("/s")) {
    if (const auto rate = parse_number(text.substr(0, text.size() - 2)); rate.value_or(0) > 0)
      return "{\"spawn_rate\":" + number_text(*rate) + "}";
  } else if (const auto seconds = parse_duration(typed)) {
    return "{\"seconds\":" + number_text(*seconds) + "}";
  }
  refuse("--ramp \"" + typed + "\": expected participants a second, such as 5/s, or a time such as 30s");
}

}  // namespace

std::string with_overrides(const std::string &text, const Overrides &overrides) {
  if (!overrides.any()) return text;
  const auto root = parse_or_refuse("scenario", text);
  for (const auto &setting : overrides.set) {
    const auto [path, value] = name_and_value("--set", setting);
    set_or_refuse(root.get(), "--set", path, value);
  }
  if (!overrides.seed.empty()) set_or_refuse(root.get(), "--seed", "seed", overrides.seed);
  if (!overrides.participants.empty())
    set_or_refuse(root.get(), "--participants", "num_participants", overrides.participants);
  if (!overrides.duration.empty()) {
    const auto seconds = parse_duration(overrides.duration);
    if (!seconds) refuse("--duration \"" + overrides.duration + "\": expected seconds, or a time such as 90s, 25m, 1h");
    set_or_refuse(root.get(), "--duration", "duration_seconds", number_text(*seconds));
  }
  if (!overrides.ramp.empty()) set_or_refuse(root.get(), "--ramp", "ramp", ramp_of(overrides.ramp));
  for (const auto &tag : overrides.tags) {
    const auto [name, value] = name_and_value("--tag", tag);
    if (name.find('.') != std::string::npos) refuse("--tag \"" + tag + "\": a tag's name has no dot");
    set_or_refuse(root.get(), "--tag", "tags." + name, quoted(value));
  }
  if (!overrides.note.empty()) set_or_refuse(root.get(), "--note", "tags.note", quoted(overrides.note));
  refuse_infinite(root.get(), "");
  return to_text(root.get(), false);
}

fs::path quickstart_path() {
  const fs::path here = own_directory();
  for (const char *folder : {"../pipelines", "../../pipelines", "../share/avchaos/pipelines"}) {
    const fs::path candidate = here / folder / "quickstart.json";
    if (std::error_code fault; fs::is_regular_file(candidate, fault)) return candidate.lexically_normal();
  }
  refuse("quickstart.json: not found near " + here.string() + "; name a scenario file");
}

ScenarioText load_scenario(const std::string &path, const Overrides &overrides) {
  ScenarioText scenario;
  fs::path folder = fs::current_path();
  if (path == "-") {
    scenario.name = "standard input";
    scenario.text = read_all(std::cin, scenario.name);
  } else {
    const fs::path file = path.empty() ? quickstart_path() : fs::path(path);
    scenario.name = path.empty() ? "quickstart" : path;
    scenario.text = read_file(file);
    folder = fs::absolute(file).parent_path();
  }
  parse_or_refuse(scenario.name, scenario.text);
  scenario.text = with_overrides(scenario.text, overrides);
  const auto root = parse_or_refuse(scenario.name, scenario.text);
  const Json json(root.get());
  scenario.base_url = json["base_url"].text_or("");
  const double asked = json["metrics"]["display_interval_seconds"].number_or(0);
  if (asked > 0) scenario.display_seconds = std::max(0.25, asked);
  scenario.media_directories = media_directories(json, folder);
  return scenario;
}

Server server_for(const ScenarioText &scenario, const std::string &base_url, std::string &note) {
  if (!base_url.empty()) return Server::at(base_url);
  if (scenario.base_url.empty()) return Server::own(scenario.media_directories);
  const auto url = normal_base_url(scenario.base_url);
  if (!url) refuse(scenario.name + ": " + url.error().text());
  if (Server::answers(*url)) return Server::at(*url);
  note = "no daemon answers at base_url " + *url + ": this run starts its own";
  return Server::own(scenario.media_directories);
}

std::string test_path(const Created &test, const char *rest) {
  const auto escaped = take(g_uri_escape_string(test.test_id.c_str(), nullptr, FALSE));
  return std::string("/api/v1/test/") + escaped.get() + rest;
}

Created create_test(Server &server, const ScenarioText &scenario) {
  auto reply = server.http().request("POST", "/api/v1/test/create?strict=1", scenario.text);
  if (!reply) throw Failure(Exit::no_start, reply.error().text());
  if (!reply->ok()) {
    const Exit code = exit_of_status(reply->status);
    const std::string where = code == Exit::bad_input ? scenario.name : server.url();
    throw Failure(code, where + ": " + problem_line(*reply));
  }
  const auto parsed = parse_json(reply->body);
  const Json json(parsed ? parsed->get() : nullptr);
  Created created{json["test_id"].text_or(""), {}, json["seed"].scalar()};
  if (created.test_id.empty()) throw Failure(Exit::other, server.url() + ": the reply to create has no test_id");
  for (std::size_t i = 0; i < json["warnings"].size(); ++i)
    created.warnings.push_back(json["warnings"].at(i).text_or(""));
  return created;
}

std::string fetch_plan(Server &server, const Created &test) {
  return server.http().expect("GET", test_path(test, "/plan")).body;
}

}  // namespace avc::tools
