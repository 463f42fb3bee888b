// `avchaos doctor`: the machine by itself, and the daemon by starting one and asking whether it is ready.
#include <string>
#include <utility>
#include <vector>

#include "tools/calibrate.hpp"
#include "tools/commands.hpp"
#include "tools/common/json.hpp"
#include "tools/common/server.hpp"
#include "tools/common/signals.hpp"
#include "tools/machine.hpp"
#include "tools/render/terminal.hpp"
#include "tools/render/text.hpp"

namespace avc::tools {
namespace {

Finding from_check(Json check) {
  const bool ok = check["ok"].truth();
  return {ok ? Health::ok : Health::fail, check["name"].text_or("daemon"),
          check["detail"].text_or(ok ? "ready" : "not ready"), check["advice"].text_or("")};
}

// The daemon's own checks: the plugin's elements and the stock ones it builds pipelines from.
std::vector<Finding> check_daemon() {
  std::vector<Finding> found;
  try {
    Server server = Server::own();
    found.push_back({Health::ok, "daemon", "starts and answers", ""});
    const auto reply = server.http().request("GET", "/readyz");
    if (!reply) return {{Health::fail, "daemon", reply.error().text(), "see its messages above"}};
    const auto parsed = parse_json(reply->body);
    const Json json(parsed ? parsed->get() : nullptr);
    for (std::size_t i = 0; i < json["checks"].size(); ++i) found.push_back(from_check(json["checks"].at(i)));
    if (!reply->ok() && json["checks"].size() == 0)
      found.push_back({Health::fail, "readiness", problem_line(*reply), "install what is named"});
  } catch (const Failure &failure) {
    found.push_back({Health::fail, "daemon", failure.what(), "build or install avchaosd and the plugin"});
  }
  return found;
}

// What was measured is kept where the daemon looks; what it makes of it is among its own checks.
Finding calibrate() {
  const auto path = calibration_path();
  const auto costs = measure_packet_costs({});
  const auto now = take(g_date_time_new_now_utc());
  const auto time = take(g_date_time_format(now.get(), "%Y-%m-%dT%H:%M:%SZ"));
  make_directory(path.parent_path());
  write_file(path, calibration_json(costs, time.get()));
  return {Health::ok, "calibration",
          render::fixed(costs.sender * 1e6, 2) + " µs a packet, " + render::fixed(costs.receiver * 1e6, 2) +
              " µs to receive it, measured with " + std::to_string(costs.participants) + " participants; in " +
              path.string(),
          ""};
}

const char *word(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warn:
      return "warn";
    case Health::fail:
      return "FAIL";
  }
  return "?";
}

std::string text_of(const std::vector<Finding> &findings, const render::Paint &paint) {
  std::string out;
  for (const auto &finding : findings) {
    const auto colour = finding.health == Health::ok     ? render::Colour::green
                        : finding.health == Health::warn ? render::Colour::yellow
                                                         : render::Colour::red;
    out += paint(colour, render::pad(word(finding.health), 4)) + "  " + render::pad(finding.what, 24) + "  " +
           finding.detail + "\n";
    if (!finding.advice.empty()) out += "      " + std::string(24, ' ') + "  -> " + finding.advice + "\n";
  }
  return out;
}

std::string json_of(const std::vector<Finding> &findings, bool healthy) {
  const auto builder = take(json_builder_new());
  JsonBuilder *b = builder.get();
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "ok");
  json_builder_add_boolean_value(b, healthy);
  json_builder_set_member_name(b, "checks");
  json_builder_begin_array(b);
  for (const auto &finding : findings) {
    json_builder_begin_object(b);
    for (const auto &[name, value] : {std::pair<const char *, std::string>{"result", word(finding.health)},
                                      {"name", finding.what},
                                      {"detail", finding.detail},
                                      {"advice", finding.advice}}) {
      json_builder_set_member_name(b, name);
      json_builder_add_string_value(b, value.c_str());
    }
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  json_builder_end_object(b);
  return to_text(take(json_builder_get_root(b)).get(), true) + "\n";
}

}  // namespace

Exit doctor(const DoctorOptions &options) {
  std::vector<Finding> findings;
  if (options.calibrate) findings.push_back(calibrate());
  const StopSignals signals;
  for (auto &&one : check_daemon()) findings.push_back(std::move(one));
  for (auto &&more : {check_kernel(), check_files("/")}) findings.insert(findings.end(), more.begin(), more.end());
  bool healthy = true;
  for (const auto &finding : findings) healthy &= finding.health != Health::fail;
  render::Terminal terminal(stdout);
  terminal.text(options.json ? json_of(findings, healthy) : text_of(findings, terminal.paint()));
  return healthy ? Exit::ok : Exit::other;
}

}  // namespace avc::tools
