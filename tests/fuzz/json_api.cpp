// The bodies strangers send: a test, a spike. Whatever they hold, parsing ends, and what is accepted can be planned
// and is within the test.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/spike/effect.hpp"
#include "launcher/scenario/scenario.hpp"

using namespace avc;
using namespace avc::scenario;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

void one_line(const std::vector<Error> &faults) {
  demand(!faults.empty());
  for (const Error &fault : faults) demand(fault.text().find_first_of("\n\r") == std::string::npos);
}

void try_scenario(std::string_view text, Source source) {
  const auto result = parse(text, source);
  if (const auto *faults = std::get_if<std::vector<Error>>(&result)) return one_line(*faults);
  const auto &scenario = std::get<Scenario>(result);
  const auto plan = plan_of(scenario, scenario.seed.value_or(1));
  for (const auto &planned : plan.spikes) {
    demand(planned.start >= Instant{} && planned.start < planned.end);
    demand(static_cast<bool>(spike::effect_of(planned.spike.type, planned.spike.effective())));
    if (scenario.duration > Nanos(0)) demand(planned.start < Instant{scenario.duration});
  }
  demand(!renditions_of(scenario, plan).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  try_scenario(text, Source::file);
  try_scenario(text, Source::create_body);
  const auto spike = parse_spike(text);
  if (const auto *faults = std::get_if<std::vector<Error>>(&spike)) one_line(*faults);
  return 0;
}
