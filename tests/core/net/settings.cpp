// Settings by name with their ranges and contradictions, and the profiles made of them.
#include "core/net/settings.hpp"

#include <limits>
#include <set>

#include "core/net/delay_table.hpp"
#include "core/net/link_trace.hpp"
#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"
#include "tests/check.hpp"

using namespace avc;
using net::Impairment, net::LossModel;

namespace {

void refused(const Result<Impairment> &result, std::string_view field, std::string_view part) {
  ck_assert(!result);
  avc_assert_text(result.error().field, field);
  ck_assert_msg(result.error().message.find(part) != std::string::npos, "%s", result.error().message.c_str());
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

START_TEST(defaults_and_all_profiles_are_accepted) {
  ck_assert(*net::checked({}) == Impairment{});
  std::set<std::string_view> names;
  for (const auto &profile : net::profiles()) {
    ck_assert(names.insert(profile.name).second && !profile.summary.empty() && !profile.source.empty());
    const auto impairment = net::profile(profile.name);
    ck_assert(impairment && *impairment != Impairment{});
    const auto checked = net::checked(*impairment);
    ck_assert_msg(static_cast<bool>(checked), "%s", std::string(profile.name).c_str());
  }
  for (const char *name : {"wifi-congested", "lte-moving", "3g", "edge", "satellite", "dsl"})
    ck_assert(names.count(name));
  ck_assert(!net::profile("6g") && net::profile_names().size() == names.size());
}
END_TEST

START_TEST(an_impairment_is_made_again_from_its_settings) {
  for (const auto &profile : net::profiles()) {
    const auto impairment = *net::profile(profile.name);
    const auto again = net::impairment_of(net::settings_of(impairment));
    ck_assert_msg(again && *again == impairment, "%s", std::string(profile.name).c_str());
  }
  ck_assert(net::settings_of({}).empty());
  Impairment own;
  own.loss_model = net::LossModel::pattern;
  own.loss_pattern = *net::LossPattern::parse("011");
  own.corrupt_headers = true;
  const auto settings = net::settings_of(own);
  ck_assert(std::get<std::string>(settings.at("loss_pattern")) == "011" && settings.size() == 3);
  ck_assert(std::get<std::string>(settings.at("corrupt_headers")) == "true");
}
END_TEST

START_TEST(every_number_is_refused_outside_its_range) {
  for (const auto &setting : net::settings()) {
    if (!setting.is_number()) continue;
    for (const double bad : {setting.low - 0.5, setting.high * 2 + 1, kNan}) {
      refused(net::with({}, setting.name, bad), setting.name, "it must be");
      Impairment impairment;
      setting.set(impairment, setting.low - 0.5);
      if (setting.get(impairment) == setting.low - 0.5) refused(net::checked(impairment), setting.name, "it must be");
    }
    for (const double good : {setting.low, setting.high}) {
      const auto changed = net::with({}, setting.name, good);
      ck_assert(changed && setting.get(*changed) == good);
    }
  }
}
END_TEST

START_TEST(errors_name_setting_and_range) {
  refused(net::with({}, "loss-percentage", 101.0), "loss_percent", "101 is not accepted; it must be 0 to 100 percent");
  refused(net::with({}, "ge_r", -0.5), "ge_r", "0 to 100 or -1 percent");
  refused(net::with({}, "queue_packets", 2.5), "queue_packets", "0 to 4294967295 packets");
  refused(net::with({}, "loss_model", "gilbert"), "loss_model", "random or burst or gilbert-elliott");
  refused(net::with({}, "loss_model", 1.0), "loss_model", "random or burst");
  refused(net::with({}, "loss_pattern", ""), "loss_pattern", "1 to 256 digits");
  refused(net::with({}, "loss_pattern", "012"), "loss_pattern", "digit 3");
  refused(net::with({}, "link_trace", "wlan"), "link_trace", "lte");
  refused(net::with({}, "delay_table", "1 b"), "delay_table", "line 1");
  refused(net::with({}, "delay_table", 1.0), "delay_table", "empty");
  refused(net::with({}, "dealy_ms", 1.0), "dealy_ms", "did you mean \"delay_ms\"?");
}
END_TEST

START_TEST(contradictions_name_both_sides) {
  refused(net::checked({.bandwidth_kbps = 1, .link_trace = net::built_in_trace("lte")}), "link_trace",
          "bandwidth_kbps");
  refused(net::checked({.markov_p13 = 60, .markov_p14 = 41}), "markov_p14", "more than 100 percent");
  refused(net::checked({.markov_p13 = 10, .markov_p31 = 70, .markov_p32 = 31}), "markov_p32", "more than 100 percent");
  refused(net::checked({.markov_p13 = 10, .markov_p32 = 11}), "markov_p32", "markov_p31 is 90");
  refused(net::checked({.loss_model = LossModel::pattern}), "loss_pattern", "empty");
  refused(net::checked({.slot_min_ms = 5, .slot_max_ms = 4}), "slot_min_ms", "above slot_max_ms");
  refused(net::checked({.slot_max_ms = 5, .slot_delay_ms = 4}), "slot_delay_ms", "slot_max_ms");
  refused(net::checked({.delay_distribution = net::DelayDistribution::table}), "delay_table", "empty");
  refused(net::checked({.slot_delay_ms = 1, .slot_distribution = net::DelayDistribution::table}), "delay_table",
          "slot");
  refused(net::checked({.link_trace = net::built_in_trace("lte"), .burst_bytes = 1}), "burst_bytes", "link_trace");
  refused(net::checked({.bandwidth_kbps = 1, .trace_once = true}), "trace_once", "link_trace");
}
END_TEST

START_TEST(an_impairment_is_read_from_names) {
  const auto read = net::impairment_of({{"delay-ms", 40.0},
                                        {"jitter_ms", "5"},
                                        {"delay_distribution", "gamma"},
                                        {"loss_model", "pattern"},
                                        {"loss-pattern", "0001"},
                                        {"allow_reordering", "true"},
                                        {"link_trace", "wifi"},
                                        {"queue_discipline", "codel"},
                                        {"delay_table", "0 8192"}});
  ck_assert(read && read->delay_table->size() == 2);
  ck_assert(*read == (Impairment{.loss_model = LossModel::pattern,
                                 .loss_pattern = *net::LossPattern::parse("0001"),
                                 .delay_ms = 40,
                                 .jitter_ms = 5,
                                 .delay_distribution = net::DelayDistribution::gamma,
                                 .delay_table = read->delay_table,
                                 .allow_reordering = true,
                                 .link_trace = net::built_in_trace("wifi"),
                                 .queue_discipline = net::QueueDiscipline::codel}));
  refused(net::impairment_of({{"link_trace", "wifi"}, {"bandwidth_kbps", 100.0}}), "link_trace", "contradicts");
}
END_TEST

AVC_TESTS("link_settings", defaults_and_all_profiles_are_accepted, an_impairment_is_made_again_from_its_settings,
          every_number_is_refused_outside_its_range, errors_name_setting_and_range, contradictions_name_both_sides,
          an_impairment_is_read_from_names)
