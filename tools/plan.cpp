// `avchaos plan`: the daemon works out what it would do, and forgets the test again.
#include <cstdio>

#include "tools/commands.hpp"
#include "tools/common/json.hpp"
#include "tools/common/signals.hpp"
#include "tools/render/report.hpp"
#include "tools/render/terminal.hpp"
#include "tools/scenario.hpp"

namespace avc::tools {

Exit plan(const PlanOptions &options) {
  const StopSignals signals;
  const ScenarioText scenario = load_scenario(options.scenario, options.overrides);
  std::string note;
  Server server = server_for(scenario, options.base_url, note);
  if (!note.empty()) std::fprintf(stderr, "avchaos: %s\n", note.c_str());
  const Created test = create_test(server, scenario);
  const std::string text = fetch_plan(server, test);
  server.http().expect("DELETE", test_path(test, ""));
  const auto parsed = parse_json(text);
  if (!parsed) throw Failure(Exit::other, server.url() + ": the plan cannot be read: " + parsed.error().message);
  render::Terminal terminal(stdout);
  if (options.json)
    terminal.text(to_text(parsed->get(), true) + "\n");
  else
    terminal.text(render::plan_text(Json(parsed->get()), terminal.columns(), terminal.paint()));
  return signals.asked() ? Exit::signal : Exit::ok;
}

}  // namespace avc::tools
