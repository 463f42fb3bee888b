// Profiles of a user's file and trace files, as base condition and in spikes.
#include "core/json/conditions.hpp"

#include "core/net/profiles.hpp"
#include "launcher/scenario/scenario.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::scenario;
using json::Conditions;
using json::FindTrace;

namespace {

Conditions must(std::string_view text, FindTrace find = {}) {
  auto parsed = Conditions::parse(text, std::move(find));
  if (const auto *faults = std::get_if<1>(&parsed)) ck_abort_msg("refused: %s", faults->at(0).text().c_str());
  return std::get<0>(std::move(parsed));
}

std::string faults(std::string_view text) {
  const auto parsed = Conditions::parse(text);
  ck_assert_msg(parsed.index() == 1, "accepted: %s", std::string(text).c_str());
  std::string lines;
  for (const Error &error : std::get<1>(parsed)) lines += error.text() + "\n";
  return lines;
}

Scenario scenario_of(std::string_view text, const Conditions &conditions) {
  auto parsed = parse(text, Source::file, conditions);
  if (const auto *errors = std::get_if<1>(&parsed)) ck_abort_msg("refused: %s", errors->at(0).text().c_str());
  return std::get<0>(std::move(parsed));
}

std::string first_fault(std::string_view text, const Conditions &conditions) {
  const auto parsed = parse(text, Source::file, conditions);
  ck_assert(parsed.index() == 1 && std::get<1>(parsed).size() == 1);
  return std::get<1>(parsed)[0].text();
}

bool holds(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

// A file system with one sound trace.
Result<std::string> one_trace(const std::string &path) {
  if (path == "./good.trace" || path == "/real/good.trace") return std::string("/real/good.trace");
  return Error{"", "there is no file \"" + path + "\""};
}

const char *const kOffice = R"({"office": {"delay_ms": 30, "loss-percent": "2"}, "train": {"profile": "tunnel"}})";

}  // namespace

START_TEST(a_users_profile_is_a_base_condition) {
  const auto conditions = must(kOffice);
  const auto base = scenario_of(R"({"network_profile": "office"})", conditions).network;
  ck_assert(base.link.delay_ms == 30 && base.link.loss_percent == 2 && base.trace.empty());
  const auto changed = scenario_of(R"({"network_profile": {"profile": "office", "loss_percentage": 4}})", conditions);
  ck_assert(changed.network.link.delay_ms == 30 && changed.network.link.loss_percent == 4);
  const auto train = scenario_of(R"({"network_profile": "train"})", conditions).network;
  ck_assert(train.link == *net::profile("tunnel"));
  avc_assert_text(train.trace, "tunnel");
  ck_assert(holds(first_fault(R"({"network_profile": "ofice"})", conditions), "of this daemon's file office train"));
}
END_TEST

START_TEST(a_built_in_profile_and_single_settings_are_base_conditions) {
  const Conditions none;
  ck_assert(scenario_of(R"({"network_profile": "3g"})", none).network.link == *net::profile("3g"));
  const auto all = scenario_of(R"({"network_profile": {"loss_model": "gilbert-elliott", "ge_p": 1, "ge_r": 20,
    "apply_to": "video", "corrupt_headers": true, "queue_discipline": "codel", "bandwidth_kbps": 900}})",
                               none)
                       .network.link;
  ck_assert(all.loss_model == net::LossModel::gilbert_elliott && all.ge_r == 20 && all.corrupt_headers);
  ck_assert(all.apply_to == net::ApplyTo::video && all.queue_discipline == net::QueueDiscipline::codel);
  ck_assert(scenario_of(R"({"network_profile": {"burst_length": 3}})", none).network.link.loss_model ==
            net::LossModel::burst);
  ck_assert(scenario_of(R"({"network_profile": {}})", none).network.link == net::Impairment{});
  ck_assert(holds(first_fault(R"({"network_profile": {"markov_p13": 60, "markov_p14": 60}})", none),
                  "network_profile.markov_p14: "));
  ck_assert(holds(first_fault(R"({"network_profile": {"dely_ms": 60}})", none), "network_profile.dely_ms: "));
  ck_assert(holds(first_fault(R"({"network_profile": {"link_trace": "lte", "bandwidth_kbps": 60}})", none),
                  "network_profile.link_trace: contradicts"));
  ck_assert(holds(first_fault(R"({"network_profile": 3})", none), "network_profile: "));
}
END_TEST

START_TEST(a_users_profile_in_a_spike_becomes_its_settings_and_keeps_its_name) {
  const auto spikes = scenario_of(R"({"spikes": [{"type": "network_profile", "params": {"profile": "office",
    "delay_ms": 50}}]})",
                                  must(kOffice))
                          .spikes;
  const auto &spike = spikes.at(0);
  ck_assert(spike.params == (spike::Params{{"profile", "office"}, {"delay_ms", 50.0}}));
  const auto effect = spike::effect_of(spike.type, spike.effective());  // as an element sees it
  ck_assert(effect && effect->link.delay_ms == 50 && effect->link.loss_percent == 2);
  const auto plain = parse_spike(R"({"spike_id": "s", "type": "network_profile", "params": {"profile": "3g"}})");
  ck_assert(std::get<0>(plain).spike.resolved.empty());
}
END_TEST

START_TEST(a_trace_is_found_before_anything_runs) {
  const Conditions conditions(one_trace);
  const auto base = scenario_of(R"({"network_profile": {"link_trace": "./good.trace"}})", conditions).network;
  avc_assert_text(base.trace, "/real/good.trace");
  const auto made = scenario_of(R"({"spikes": [{"type": "link_trace", "params": {"trace": "./good.trace"}},
    {"type": "network_profile", "params": {"link_trace": "./good.trace"}}, {"type": "link_trace",
     "params": {"trace": "lte"}}]})",
                                conditions);
  avc_assert_text(std::get<std::string>(made.spikes[0].effective().at("trace")), "/real/good.trace");
  avc_assert_text(std::get<std::string>(made.spikes[0].params.at("trace")), "./good.trace");
  avc_assert_text(std::get<std::string>(made.spikes[1].effective().at("link_trace")), "/real/good.trace");
  ck_assert(made.spikes[2].resolved.empty());
  avc_assert_text(
      first_fault(R"({"spikes": [{"type": "link_trace", "params": {"trace": "./bad.trace"}}]})", conditions),
      "spikes[0].params.trace: there is no file \"./bad.trace\"");
  avc_assert_text(first_fault(R"({"network_profile": {"link_trace": "./bad.trace"}})", conditions),
                  "network_profile.link_trace: there is no file \"./bad.trace\"");
  avc_assert_text(first_fault(R"({"spikes": {"types": {"link_trace": {"weight": 1, "params":
    {"traces": ["lte", "./bad.trace"]}}}}})",
                              conditions),
                  "spikes.types.link_trace.params.traces: there is no file \"./bad.trace\"");
  const auto drawn = scenario_of(R"({"spikes": {"count": 3, "types": {"link_trace": {"weight": 1, "params":
    {"traces": ["./good.trace"]}}}}})",
                                 conditions);
  for (const auto &planned : plan_of(drawn, 1).spikes)
    avc_assert_text(std::get<std::string>(planned.spike.effective().at("trace")), "/real/good.trace");
}
END_TEST

START_TEST(a_profiles_trace_is_found_when_the_file_is_read) {
  const auto conditions = must(R"({"mine": {"link_trace": "./good.trace", "delay_ms": 9}})", one_trace);
  const auto base = scenario_of(R"({"network_profile": "mine"})", conditions).network;
  avc_assert_text(base.trace, "/real/good.trace");
  ck_assert(base.link.delay_ms == 9);
}
END_TEST

START_TEST(a_bad_profile_is_told_with_its_name_and_setting) {
  avc_assert_text(faults(R"({"a": {"loss_percent": 101}, "b": {"delay_ms": "long"}})"),
                  "a.loss_percent: 101 is not accepted; it must be 0 to 100 percent\n"
                  "b.delay_ms: \"long\" is not accepted; it must be 0 to 3600000 ms\n");
  ck_assert(holds(faults(R"({"a": {"los_percent": 1}})"), "a.los_percent: unknown setting"));
  ck_assert(holds(faults(R"({"a": {"profile": "6g"}})"), "a.profile: "));
  ck_assert(holds(faults(R"({"b": {}, "a": {"profile": "b"}})"), "a.profile: "));  // not of one another
  ck_assert(holds(faults(R"({"3g": {}})"), "3g: is the name of a built-in profile"));
  ck_assert(holds(faults(R"({"a b": {}})"), "a b: a profile's name"));
  ck_assert(holds(faults(R"({"a": 3})"), "a: "));
  ck_assert(holds(faults(R"({"a": {"loss_percent": [1]}})"), "a.loss_percent: "));
  ck_assert(holds(faults("["), "not valid JSON"));
  ck_assert(holds(faults("[]"), "object"));
}
END_TEST

AVC_TESTS("conditions", a_users_profile_is_a_base_condition, a_built_in_profile_and_single_settings_are_base_conditions,
          a_users_profile_in_a_spike_becomes_its_settings_and_keeps_its_name, a_trace_is_found_before_anything_runs,
          a_profiles_trace_is_found_when_the_file_is_read, a_bad_profile_is_told_with_its_name_and_setting)
