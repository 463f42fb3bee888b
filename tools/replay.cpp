// `avchaos replay`: a run whose packets have the fates that a decision log gives them. The scenario is the recorded
// one, so that what goes in is the same; it lies beside the log where `avchaos run` has left both.
#include <filesystem>
#include <system_error>

#include "tools/commands.hpp"
#include "tools/common/json.hpp"

namespace avc::tools {
namespace fs = std::filesystem;

Exit replay(const ReplayOptions &options) {
  RunOptions run_options = options.run;
  std::error_code fault;
  const fs::path log = fs::canonical(options.log, fault);
  const bool here = !fault && fs::is_regular_file(log, fault);
  if (!here && run_options.base_url.empty()) throw Failure(Exit::bad_input, options.log + ": no such file");
  if (run_options.scenario.empty()) {
    const fs::path beside = log.parent_path() / "scenario.json";
    if (!here || !fs::is_regular_file(beside, fault))
      throw Failure(Exit::bad_input, options.log +
                                         ": no scenario.json beside it; name the scenario it was recorded "
                                         "with (--scenario FILE)");
    run_options.scenario = beside.string();
  }
  run_options.overrides.set = {"replay_log=" + quoted(here ? log.string() : options.log),
                               "test_id=null"};  // a test of its own: the log may bear the recorded one's name
  return run(run_options);
}

}  // namespace avc::tools
