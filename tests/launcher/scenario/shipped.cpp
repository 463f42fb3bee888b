// Every scenario that comes with us is read as a user's would be, and its plan makes sense.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "launcher/scenario/scenario.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::scenario;
namespace fs = std::filesystem;

namespace {

Scenario load(const fs::path &path) {
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto result = parse(text, Source::file);
  if (const auto *faults = std::get_if<std::vector<Error>>(&result)) {
    ck_abort_msg("%s: %s", path.c_str(), faults->at(0).text().c_str());
  }
  return std::get<Scenario>(std::move(result));
}

std::vector<fs::path> shipped() {
  std::vector<fs::path> paths;
  for (const auto &entry : fs::recursive_directory_iterator(AVC_SOURCE_DIR "/pipelines")) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  return paths;
}

}  // namespace

START_TEST(every_shipped_scenario_is_sound) {
  const auto paths = shipped();
  ck_assert_int_ge(static_cast<int>(paths.size()), 7);
  for (const auto &path : paths) {
    const auto scenario = load(path);
    ck_assert_msg(scenario.warnings.empty(), "%s: %s", path.c_str(),
                  scenario.warnings.empty() ? "" : scenario.warnings[0].c_str());
    const auto plan = plan_of(scenario, scenario.seed.value_or(1));
    ck_assert_msg(plan.warnings.empty(), "%s: %s", path.c_str(), plan.warnings.empty() ? "" : plan.warnings[0].c_str());
    ck_assert_msg(!plan.spikes.empty(), "%s", path.c_str());
    ck_assert(plan.spikes.back().start < Instant{scenario.duration});
  }
}
END_TEST

START_TEST(the_quickstart_has_each_type_once_and_time_to_recover) {
  const auto scenario = load(fs::path(AVC_SOURCE_DIR "/pipelines") / "quickstart.json");
  ck_assert_int_eq(static_cast<int>(scenario.num_participants), 10);
  ck_assert(scenario.seed && scenario.duration == std::chrono::seconds(20) && !scenario.thresholds.empty());
  std::set<std::string> types;
  const auto plan = plan_of(scenario, *scenario.seed);
  for (std::size_t i = 0; i < plan.spikes.size(); ++i) {
    types.insert(plan.spikes[i].spike.type);
    ck_assert(plan.spikes[i].end <= Instant{scenario.duration - std::chrono::seconds(2)});
    if (i > 0) ck_assert(plan.spikes[i].start < plan.spikes[i - 1].end);
  }
  ck_assert_int_eq(static_cast<int>(types.size()), 6);
  ck_assert_int_eq(static_cast<int>(plan.spikes.size()), 6);
}
END_TEST

START_TEST(the_reference_is_the_old_tools_load) {
  const auto scenario = load(fs::path(AVC_SOURCE_DIR "/pipelines") / "scenarios" / "reference-1500.json");
  ck_assert(scenario.num_participants == 1500 && scenario.duration == std::chrono::seconds(600) && scenario.random);
  ck_assert(scenario.distribution.strategy == spike::Strategy::legacy);
  const auto plan = plan_of(scenario, 1);
  ck_assert_int_eq(static_cast<int>(plan.spikes.size()), 70);
  for (std::size_t i = 0; i < 70; ++i) {
    ck_assert(plan.spikes[i].start == Instant{std::chrono::seconds(5 * (i + 1))});
    const Nanos length = *plan.spikes[i].spike.duration;
    ck_assert(length >= std::chrono::seconds(5) && length <= std::chrono::seconds(15));
  }
}
END_TEST

AVC_TESTS("shipped scenarios", every_shipped_scenario_is_sound, the_quickstart_has_each_type_once_and_time_to_recover,
          the_reference_is_the_old_tools_load)
