#include "core/spike/generator.hpp"

#include <limits>
#include <numeric>
#include <set>

#include "core/spike/effect.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::spike;

namespace {

std::vector<std::uint32_t> ids(std::uint32_t count) {
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 1001u);
  return all;
}

const auto kTen = ids(10);
const Population kPopulation{kTen, 2500};

std::vector<Spike> drawn(const RandomSpikes &settings, std::uint64_t seed = 1,
                         const Population &population = kPopulation) {
  const auto faults = check(settings, population);
  ck_assert_msg(faults.empty(), "%s", faults.empty() ? "" : faults[0].text().c_str());
  return generate(settings, population, Nanos(0), Rng(seed));
}

void refuses(const RandomSpikes &settings, std::string_view field, std::string_view part) {
  const auto faults = check(settings, kPopulation);
  ck_assert_int_eq(static_cast<int>(faults.size()), 1);
  ck_assert_msg(faults[0].field == field, "field %s", faults[0].field.c_str());
  ck_assert_msg(faults[0].message.find(part) != std::string::npos, "text %s", faults[0].message.c_str());
}

RandomSpikes only(WeightedType type, std::int64_t count = 200) {
  RandomSpikes settings;
  settings.count = count;
  settings.types = {std::move(type)};
  return settings;
}

double number(const Spike &spike, const char *name) { return std::get<double>(spike.params.at(name)); }

}  // namespace

START_TEST(defaults_are_the_old_tools) {
  RandomSpikes settings;
  ck_assert_int_eq(static_cast<int>(settings.count), 70);
  std::map<std::string, int> counts;
  settings.count = 2000;
  for (const Spike &spike : drawn(settings)) {
    ++counts[spike.type];
    ck_assert(*spike.duration >= from_seconds(2) && *spike.duration <= from_seconds(8));
    ck_assert(static_cast<bool>(effect_of(spike.type, spike.params)));
  }
  // 2000 draws with p = 0.4 and 0.2: standard deviations 22 and 18, bounds four of them.
  ck_assert_double_eq_tol(counts["rtp_packet_loss"], 800, 88);
  for (const char *type : {"network_jitter", "frame_drop", "bitrate_reduce"})
    ck_assert_double_eq_tol(counts[type], 400, 72);
}
END_TEST

START_TEST(parameters_fill_their_ranges) {
  std::set<double> seen;
  std::set<std::string> patterns;
  for (const Spike &spike :
       drawn(only({"rtp_packet_loss", 1, {{"loss_percentage_min", 3.0}, {"loss-percent-max", "6"}}}))) {
    seen.insert(number(spike, "loss_percentage"));
    patterns.insert(std::get<std::string>(spike.params.at("pattern")));
  }
  ck_assert(seen == (std::set<double>{3, 4, 5, 6}));
  ck_assert(patterns == (std::set<std::string>{"random", "burst"}));
  for (const Spike &spike :
       drawn(only({"frame_drop", 1, {{"drop_percentage_min", 0.5}, {"drop_percentage_max", 0.75}}}))) {
    ck_assert(number(spike, "drop_percentage") >= 0.5 && number(spike, "drop_percentage") < 0.75);
  }
  for (const Spike &spike :
       drawn(only({"bandwidth_limit",
                   1,
                   {{"bandwidth_kbps_min", 300.0}, {"bandwidth_kbps_max", 310.0}, {"queue_ms", 40.0}}}))) {
    ck_assert(number(spike, "bandwidth_kbps") >= 300 && number(spike, "bandwidth_kbps") <= 310);
    ck_assert(number(spike, "queue_ms") == 40);
  }
}
END_TEST

START_TEST(patterns_are_picked_from_the_list) {
  const Choice burst = std::vector<std::string>{"burst"};
  for (const Spike &spike : drawn(only({"rtp_packet_loss", 1, {{"patterns", burst}, {"burst_length", 9.0}}}))) {
    ck_assert(std::get<std::string>(spike.params.at("pattern")) == "burst" && number(spike, "burst_length") == 9);
  }
  for (const Spike &spike : drawn(only({"rtp_packet_loss", 1, {{"burst_length", 9.0}}}))) {
    ck_assert(static_cast<bool>(effect_of(spike.type, spike.params)));
  }
}
END_TEST

START_TEST(every_type_of_the_link_can_be_drawn) {
  for (const char *type : {"packet_duplicate", "packet_reorder", "packet_corrupt", "blackout", "keyframe_loss",
                           "rtcp_loss", "network_profile", "link_trace"}) {
    std::set<Params> different;
    for (const Spike &spike : drawn(only({type, 1, {}}, 20))) {
      ck_assert_msg(static_cast<bool>(effect_of(spike.type, spike.params)), "%s", type);
      different.insert(spike.params);
    }
    ck_assert_msg((different.size() > 1) == (std::string_view(type) != "blackout"), "%s", type);
  }
  const Choice two = std::vector<std::string>{"3g", "edge"}, none = std::vector<std::string>{"3g", "6g"};
  std::set<std::string> names;
  for (const Spike &spike : drawn(only({"network_profile", 1, {{"profiles", two}}})))
    names.insert(std::get<std::string>(spike.params.at("profile")));
  ck_assert(names == (std::set<std::string>{"3g", "edge"}));
  refuses(only({"network_profile", 1, {{"profiles", none}}}), "types.network_profile.params.profiles", "6g");
  refuses(only({"link_trace", 1, {{"traces", 1.0}}}), "types.link_trace.params.traces", "must be a list of traces");
}
END_TEST

START_TEST(a_reduction_is_a_share_of_the_bitrate) {
  for (const Spike &spike :
       drawn(only({"bitrate_reduce", 1, {{"reduction_percent_min", 40.0}, {"reduction_percent_max", 40.0}}}))) {
    ck_assert(number(spike, "new_bitrate_kbps") == 1500 && !spike.params.contains("reduction_percent"));
    ck_assert(number(spike, "transition_seconds") >= 1 && number(spike, "transition_seconds") <= 5);
  }
}
END_TEST

START_TEST(spikes_come_at_the_interval_until_the_test_is_over) {
  RandomSpikes settings;
  const auto spikes = generate(settings, kPopulation, from_seconds(20), Rng(1));
  ck_assert_int_eq(static_cast<int>(spikes.size()), 3);
  ck_assert(spikes[0].offset == from_seconds(5) && spikes[2].offset == from_seconds(15));
  ck_assert(spikes[0].id == "chaos_spike_1" && spikes[2].id == "chaos_spike_3");
}
END_TEST

START_TEST(nobody_is_picked_twice) {
  RandomSpikes settings;
  settings.count = 500;
  settings.selection = {0, 1, 0, 3, 7};
  std::set<std::size_t> sizes;
  std::set<std::uint32_t> everybody;
  for (const Spike &spike : drawn(settings)) {
    const std::set<std::uint32_t> once(spike.participants.begin(), spike.participants.end());
    ck_assert(once.size() == spike.participants.size());
    ck_assert(*once.begin() >= 1001 && *once.rbegin() <= 1010);
    sizes.insert(once.size());
    everybody.insert(once.begin(), once.end());
  }
  ck_assert(sizes == (std::set<std::size_t>{3, 4, 5, 6, 7}));
  ck_assert(everybody.size() == 10);
  const auto two = ids(2);
  for (const Spike &spike : drawn(settings, 1, {two, 2500})) ck_assert(spike.participants == two);
}
END_TEST

START_TEST(single_and_all_are_one_and_an_empty_list) {
  RandomSpikes settings;
  settings.selection = {1, 0, 0, 2, 5};
  for (const Spike &spike : drawn(settings)) ck_assert(spike.participants.size() == 1);
  settings.selection = {0, 0, 1, 2, 5};  // could not be configured in the old tool
  for (const Spike &spike : drawn(settings)) ck_assert(spike.participants.empty());
}
END_TEST

START_TEST(one_seed_gives_the_same_spikes_and_another_others) {
  RandomSpikes settings;
  const auto first = drawn(settings, 1), again = drawn(settings, 1), other = drawn(settings, 2);
  bool differs = false;
  for (std::size_t i = 0; i < first.size(); ++i) {
    ck_assert(first[i].type == again[i].type && first[i].params == again[i].params &&
              first[i].participants == again[i].participants && first[i].duration == again[i].duration);
    differs = differs || first[i].params != other[i].params;
  }
  ck_assert(differs);
}
END_TEST

START_TEST(a_type_without_weight_never_comes) {
  RandomSpikes settings;
  settings.types = {{"rtp_packet_loss", 0, {}}, {"audio_silence", 1, {}}, {"frame_drop", 0, {}}};
  for (const Spike &spike : drawn(settings)) ck_assert(spike.type == "audio_silence");
}
END_TEST

// Each of these made the old tool panic, or was taken without a word.
START_TEST(every_bad_setting_is_an_error_naming_its_key) {
  RandomSpikes s;
  s.count = -1;
  refuses(s, "count", "0 to 10000");
  s = {};
  s.interval = Nanos(0);
  refuses(s, "interval_seconds", "more than 0");
  s = {};
  s.duration_min_seconds = 9;
  refuses(s, "duration_seconds_min", "more than duration_seconds_max, which is 8");
  s = {};
  s.duration_min_seconds = std::numeric_limits<double>::quiet_NaN();
  refuses(s, "duration_seconds_min", "above 0");
  refuses(only({"rtp_packet_loss", 0, {}}), "types", "weight above 0");
  refuses(only({"rtp_packet_loss", std::numeric_limits<double>::infinity(), {}}), "types.rtp_packet_loss.weight",
          "0 to");
  refuses(only({"packet_loss", 1, {}}), "types.packet_loss", "did you mean \"rtp_packet_loss\"?");
  refuses(only({"rtp_packet_loss", 1, {{"loss_percentage_min", 30.0}}}),
          "types.rtp_packet_loss.params.loss_percentage_min", "more than loss_percentage_max, which is 25");
  refuses(only({"rtp_packet_loss", 1, {{"loss_percentage_max", 101.0}}}),
          "types.rtp_packet_loss.params.loss_percentage_max", "0 to 100");
  refuses(only({"rtp_packet_loss", 1, {{"loss_percentage_max", "many"}}}),
          "types.rtp_packet_loss.params.loss_percentage_max", "number");
  refuses(only({"rtp_packet_loss", 1, {{"patterns", "burst"}}}), "types.rtp_packet_loss.params.patterns", "list");
  refuses(only({"rtp_packet_loss", 1, {{"patterns", std::vector<std::string>{"bursty"}}}}),
          "types.rtp_packet_loss.params.patterns", "random or burst");
  refuses(only({"rtp_packet_loss", 1, {{"loss_min", 1.0}}}), "types.rtp_packet_loss.params.loss_min",
          "unknown parameter");
  refuses(only({"bitrate_reduce", 1, {{"reduction_percent_max", 120.0}}}),
          "types.bitrate_reduce.params.reduction_percent_max", "0 to 100");
  s = {};
  s.selection = {0, 0, 0, 2, 5};
  refuses(s, "participant_selection", "weight must be above 0");
  s.selection = {1, 1, -1, 2, 5};
  refuses(s, "participant_selection.all_weight", "0 to");
  s.selection = {1, 1, 1, 6, 5};
  refuses(s, "participant_selection.multiple_count_max", "less than multiple_count_min, which is 6");
  s.selection = {1, 1, 1, 0, 5};
  refuses(s, "participant_selection.multiple_count_min", "at least 1");
}
END_TEST

AVC_TESTS("generator", defaults_are_the_old_tools, parameters_fill_their_ranges, patterns_are_picked_from_the_list,
          every_type_of_the_link_can_be_drawn, a_reduction_is_a_share_of_the_bitrate,
          spikes_come_at_the_interval_until_the_test_is_over, nobody_is_picked_twice,
          single_and_all_are_one_and_an_empty_list, one_seed_gives_the_same_spikes_and_another_others,
          a_type_without_weight_never_comes, every_bad_setting_is_an_error_naming_its_key)
