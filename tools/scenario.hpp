// A scenario on its way from a file to the daemon: found, read, checked for being JSON at all, and changed as the
// command line asks. What its keys mean is the daemon's business.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "tools/commands.hpp"
#include "tools/common/server.hpp"

namespace avc::tools {

struct ScenarioText {
  std::string name;            // for messages: the file as the user wrote it
  std::string text;            // to be sent
  std::string base_url;        // what it says itself; empty if it does not
  double display_seconds = 5;  // metrics.display_interval_seconds: between two lines in a log
  // Where the media files it names may be: seen from its own folder and from the working directory.
  std::vector<std::filesystem::path> media_directories;
};

// Throws Failure(bad_input) naming the file or the flag at fault.
ScenarioText load_scenario(const std::string &path, const Overrides &overrides);
std::string with_overrides(const std::string &text, const Overrides &overrides);

// Where the scenarios that come with us are: in the build tree, the source tree, or installed.
std::filesystem::path quickstart_path();

// The daemon for it: the one asked for, else the one the scenario names if it answers, else one of our own. `note`
// gets a line for people when the scenario's own base_url was not used.
Server server_for(const ScenarioText &scenario, const std::string &base_url, std::string &note);

struct Created {
  std::string test_id;
  std::vector<std::string> warnings;
  std::string seed;
};
// Throws Failure naming the scenario and the field at fault.
Created create_test(Server &server, const ScenarioText &scenario);
std::string fetch_plan(Server &server, const Created &test);  // JSON text

std::string test_path(const Created &test, const char *rest);  // "/api/v1/test/ID" + rest

}  // namespace avc::tools
