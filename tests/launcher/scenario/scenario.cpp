#include "launcher/scenario/scenario.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::scenario;

namespace {

Scenario must(std::string_view text, Source source = Source::file) {
  auto result = parse(text, source);
  if (const auto *faults = std::get_if<std::vector<Error>>(&result)) {
    ck_abort_msg("refused: %s", faults->at(0).text().c_str());
  }
  return std::get<Scenario>(std::move(result));
}

// All faults, one a line.
std::string faults(std::string_view text, Source source = Source::file) {
  const auto result = parse(text, source);
  const auto *errors = std::get_if<std::vector<Error>>(&result);
  ck_assert_msg(errors && !errors->empty(), "accepted: %s", std::string(text).c_str());
  std::string lines;
  for (const Error &error : *errors) lines += error.text() + "\n";
  return lines;
}

void refuses(std::string_view text, std::string_view line, Source source = Source::file) {
  const std::string said = faults(text, source);
  ck_assert_msg(said == std::string(line) + "\n", "%s", said.c_str());
}

void refuses_with(std::string_view text, std::string_view start, std::string_view part) {
  const std::string said = faults(text);
  ck_assert_msg(said.starts_with(start) && said.find(part) != std::string::npos, "%s", said.c_str());
  ck_assert_msg(std::count(said.begin(), said.end(), '\n') == 1, "%s", said.c_str());
}

}  // namespace

START_TEST(defaults_are_the_contracts) {
  const auto body = must("{}", Source::create_body);
  ck_assert(body.num_participants == 5 && body.duration == Nanos(0) && body.test_id.empty() && !body.seed);
  ck_assert(body.video.width == 1280 && body.video.height == 720 && body.video.fps == 30);
  ck_assert(body.video.bitrate_kbps == 2500 && body.video.codec == "h264");
  ck_assert(body.audio.sample_rate == 48000 && body.audio.channels == 1 && body.audio.bitrate_kbps == 128);
  ck_assert(body.backend_rtp_base_port == 5000 && !body.target && !body.random && body.spikes.empty());
  ck_assert(body.distribution == (spike::Distribution{spike::Strategy::even, std::chrono::seconds(5), 15, true}));
  ck_assert(body.network.link == net::Impairment{});
  const auto file = must("{}");
  ck_assert(file.num_participants == 50 && file.duration == std::chrono::seconds(600));
  ck_assert(must("null", Source::create_body).num_participants == 5);
}
END_TEST

START_TEST(an_old_create_body_is_taken_unchanged) {
  const auto s = must(R"({"test_id": "chaos_test_1700000000", "num_participants": 3,
    "video": {"width": 640, "height": 360, "fps": 25, "bitrate_kbps": 1000, "codec": "H264"},
    "audio": {"sample_rate": 48000, "channels": 2, "bitrate_kbps": 64, "codec": "opus"},
    "duration_seconds": 60, "backend_rtp_base_port": "6000", "enable_network_degradation": true, "someone_elses": 1,
    "spikes": [{"spike_id": "a", "type": "rtp_packet_loss", "participant_ids": [1002, 1001],
                "start_offset_seconds": 10, "duration_seconds": 5, "params": {"loss_percentage": "25", "pattern": "burst"}}],
    "spike_distribution": {"strategy": "front_loaded", "min_spacing_seconds": 3, "jitter_percent": 20}})",
                      Source::create_body);
  ck_assert(s.test_id == "chaos_test_1700000000" && s.num_participants == 3 && s.video.width == 640 &&
            s.video.fps == 25);
  ck_assert(s.backend_rtp_base_port == 6000 && s.duration == std::chrono::seconds(60) && s.audio.channels == 2);
  ck_assert(s.distribution.strategy == spike::Strategy::front_loaded && s.distribution.jitter_percent == 20);
  ck_assert_int_eq(static_cast<int>(s.spikes.size()), 1);
  ck_assert(s.spikes[0].participants == (std::vector<std::uint32_t>{1001, 1002}));
  ck_assert(s.spikes[0].offset == std::chrono::seconds(10) && *s.spikes[0].duration == std::chrono::seconds(5));
  ck_assert_int_eq(static_cast<int>(s.warnings.size()), 2);  // the flag without effect, and the unknown key
  ck_assert(s.warnings[1].find("someone_elses") != std::string::npos);
}
END_TEST

START_TEST(partial_objects_are_completed_field_by_field) {
  const auto s = must(R"({"video": {"fps": 15}, "audio": {"channels": 0}})");
  ck_assert(s.video.fps == 15 && s.video.width == 1280 && s.audio.channels == 1);
}
END_TEST

START_TEST(spikes_as_an_object_are_the_old_random_generator) {
  const auto s =
      must(R"({"spikes": {"count": 20, "interval_seconds": 3, "duration_seconds_min": 4, "duration_seconds_max": 6,
    "types": {"rtp_packet_loss": {"weight": 1, "params": {"loss_percentage_min": 5, "loss_percentage_max": 9, "patterns": ["random"]}}},
    "participant_selection": {"all_weight": 1}}})",
           Source::create_body);
  ck_assert(s.random && s.random->count == 20 && s.random->interval == std::chrono::seconds(3));
  ck_assert(s.random->selection.single_weight == 0 && s.random->selection.all_weight == 1);
  ck_assert(s.num_participants == 50 && s.duration == std::chrono::seconds(600));
  ck_assert(s.distribution.strategy == spike::Strategy::legacy);
  const auto plan = plan_of(s, 1);
  ck_assert_int_eq(static_cast<int>(plan.spikes.size()), 20);
  ck_assert(plan.spikes[0].start == Instant{std::chrono::seconds(3)} && plan.spikes[0].spike.id == "chaos_spike_1");
  for (const auto &planned : plan.spikes) ck_assert(planned.spike.participants.empty());
}
END_TEST

START_TEST(drawn_spikes_may_be_distributed_too) {
  const auto s = must(
      R"({"duration_seconds": 100, "spikes": {"count": 9}, "spike_distribution": {"strategy": "even", "jitter_percent": 0}})");
  const auto plan = plan_of(s, 1);
  ck_assert_int_eq(static_cast<int>(plan.spikes.size()), 9);
  for (int i = 0; i < 9; ++i)
    ck_assert(plan.spikes[static_cast<std::size_t>(i)].start == Instant{std::chrono::seconds(10 * (i + 1))});
}
END_TEST

START_TEST(one_seed_gives_one_plan) {
  const auto s = must(R"({"seed": 7, "num_participants": 20, "spikes": {}})");
  ck_assert(s.seed == 7);
  const auto a = plan_of(s, 7), b = plan_of(s, 7), c = plan_of(s, 8);
  bool differs = false;
  for (std::size_t i = 0; i < a.spikes.size(); ++i) {
    ck_assert(a.spikes[i].spike.params == b.spikes[i].spike.params && a.spikes[i].end == b.spikes[i].end);
    differs = differs || a.spikes[i].spike.params != c.spikes[i].spike.params;
  }
  ck_assert(differs);
  ck_assert(must(R"({"seed": "18446744073709551615"})").seed == 18446744073709551615u);
}
END_TEST

START_TEST(durations_and_names_may_be_written_in_several_ways) {
  const auto s = must(R"({"duration-seconds": "25m", "spikes": [
    {"spike_id": "a", "type": "rtp_packet_loss", "start_offset_seconds": "90s", "duration_seconds": "1.5s", "params": {"loss-percent": 1}},
    {"spike_id": "b", "type": "rtp_packet_loss", "params": {"loss_percent": "1"}},
    {"spike_id": "c", "type": "network_jitter", "params": {"allow_reordering": true}}]})");
  ck_assert(s.duration == std::chrono::minutes(25));
  ck_assert(s.spikes[0].offset == std::chrono::seconds(90) && *s.spikes[0].duration == std::chrono::milliseconds(1500));
  ck_assert(!s.spikes[1].duration);
  refuses(R"({"duration_seconds": "soon"})",
          "duration_seconds: \"soon\" is not a length of time; write seconds, or \"90s\", \"25m\", \"1h30m\"");
  for (const char *bad : {"1m1m", "30m1h", "s", "1x", "", "-5s", "1e400"}) {
    refuses_with(std::string(R"({"duration_seconds": ")") + bad + "\"}", "duration_seconds: ", bad);
  }
}
END_TEST

START_TEST(all_faults_are_found_at_once) {
  const std::string said = faults(R"({"num_participants": -1, "video": {"fps": 5000, "widht": 3}, "colour": 1,
    "spikes": [{"spike_id": "a", "type": "rtp_packet_loss", "params": {"loss_percentage": 101}},
               null,
               {"spike_id": "b", "type": "packet_loss"},
               {"spike_id": "c", "type": "audio_silence", "duration_seconds": -3}]})");
  const std::string expected =
      "spikes[0].params.loss_percentage: 101 is not accepted; it must be 0 to 100 percent\n"
      "spikes[1]: must be an object, not null\n"
      "spikes[2].type: unknown spike type \"packet_loss\"; did you mean \"rtp_packet_loss\"?\n"
      "spikes[3].duration_seconds: -3 is not accepted; it must be 0 to 2592000\n"
      "num_participants: -1 is not accepted; it must be 0 to 100000\n"
      "video.fps: 5000 is not accepted; it must be 0 to 120\n"
      "video.widht: unknown key \"widht\"; did you mean \"width\"?\n"
      "colour: unknown key \"colour\"";
  ck_assert_msg(said.starts_with(expected), "%s", said.c_str());
}
END_TEST

START_TEST(bad_numbers_are_refused_with_the_field_and_the_range) {
  refuses(R"({"num_participants": 1e99})", "num_participants: 1e+99 is not accepted; it must be 0 to 100000");
  refuses(R"({"num_participants": 2.5})", "num_participants: 2.5 is not accepted; it must be a whole number");
  refuses(R"({"num_participants": "10"})", "num_participants: must be a number, not a text");
  refuses(R"({"duration_seconds": 1e12})", "duration_seconds: 1000000000000 is not accepted; it must be 0 to 2592000");
  refuses_with(R"({"num_participants": NaN})", "not valid JSON: ", "NaN");
  refuses_with(R"({"spikes": [{"type": "frame_drop", "params": {"drop_percentage": "NaN"}}]})",
               "spikes[0].params.drop_percentage: ", "0 to 100");
  refuses_with(R"({"spikes": [{"type": "frame_drop", "params": {"drop_percentage": 1e999}}]})",
               "spikes[0].params.drop_percentage: ", "0 to 100");
  refuses_with(R"({"spikes": [{"type": "frame_drop", "params": {"drop_percentage": [5]}}]})",
               "spikes[0].params.drop_percentage: ", "number or a text");
  refuses_with(R"({"seed": -1})", "seed: ", "0 to");
  refuses_with(R"({"seed": "18446744073709551616"})", "seed: ", "whole number");
  refuses_with(R"({"backend_rtp_base_port": 70000})", "backend_rtp_base_port: ", "65535");
  refuses_with(R"({"backend_rtp_base_port": "70000"})", "backend_rtp_base_port: ", "65535");
  refuses_with(R"({"target": {"port": 0}})", "target.port: ", "1 to 65535");
  refuses_with(R"({"network_profile": {"loss_percent": 200}})", "network_profile.loss_percent: ", "0 to 100");
  refuses_with(R"({"spike_distribution": {"jitter_percent": 101}})", "spike_distribution.jitter_percent: ", "0 to 100");
  refuses_with(R"({"renditions": "2500,many"})", "renditions: ", "10 to 100000");
}
END_TEST

START_TEST(random_settings_are_checked_with_their_path) {
  refuses_with(R"({"spikes": {"duration_seconds_min": 9, "duration_seconds_max": 3}})",
               "spikes.duration_seconds_min: ", "more than");
  refuses_with(R"({"spikes": {"types": {"frame_drop": {"weight": 0}}}})", "spikes.types: ", "weight");
  refuses_with(R"({"spikes": {"types": {"frame_drp": {"weight": 1}}}})", "spikes.types.frame_drp: ", "frame_drop");
  refuses_with(R"({"spikes": {"types": {"frame_drop": {"weight": 1, "params": {"drop_percentage_max": 300}}}}})",
               "spikes.types.frame_drop.params.drop_percentage_max: ", "0 to 100");
  refuses_with(R"({"spikes": {"types": {"rtp_packet_loss": {"weight": 1, "params": {"patterns": ["random", 7]}}}}})",
               "spikes.types.rtp_packet_loss.params.patterns[1]: ", "text");
  refuses_with(R"({"spikes": {"participant_selection": {"single_weight": -1}}})",
               "spikes.participant_selection.single_weight: ", "0 to");
  refuses_with(R"({"spikes": {"participant_selection": {"multiple_count_min": 9, "multiple_count_max": 3}}})",
               "spikes.participant_selection.multiple_count_max: ", "less than");
  refuses_with(R"({"spikes": {"cuont": 9}})", "spikes.cuont: ", "did you mean \"count\"?");
}
END_TEST

START_TEST(contradictions_name_both_sides) {
  refuses_with(R"({"spikes": [], "spike_events": [{"type": "audio_silence"}]})",
               "spike_events: ", "contradicts spikes");
  refuses_with(R"({"media_path": "a.mp4", "media": {"path": "b.mp4"}})", "media.path: ", "contradicts media_path");
  refuses_with(R"({"media": {"path": "a.mp4", "video_path": "b.h264"}})",
               "media.video_path: ", "contradicts media.path");
  refuses_with(R"({"target": {"transport": "loopback", "host": "10.0.0.1"}})",
               "target.host: ", "contradicts target.transport");
  refuses_with(
      R"({"spikes": [{"spike_id": "a", "type": "audio_silence"}, {"spike_id": "a", "type": "audio_silence"}]})",
      "spikes[1].spike_id: ", "another spike's");
  refuses_with(R"({"duration_seconds": 5, "duration-seconds": 6})", "duration-seconds: ", "given twice");
  refuses_with(R"({"spike_events": [{"spike_id": "chaos_spike_1", "type": "audio_silence"}], "spikes": {}})",
               "spike_events: ", "drawn");
}
END_TEST

START_TEST(what_comes_later_is_said_not_ignored) {
  for (const char *key : {"stages", "arrivals", "rooms", "load", "journeys", "observe", "profiles", "steady_state",
                          "warmup_seconds", "cooldown_seconds"}) {
    const std::string text = std::string("{\"") + key + "\": []}";
    refuses(text, std::string(key) + ": is not available yet");
    refuses(text, std::string(key) + ": is not available yet", Source::create_body);
  }
  refuses_with(R"({"network_profile": "lte-movin"})", "network_profile: ", "lte-moving");
  refuses_with(R"({"target": {"transport": "rtsp"}})", "target.transport: ", "not available yet");
  refuses_with(R"({"target": {"transport": "whip"}})", "target.url: ", "is needed");
  refuses_with(R"({"target": {"transport": "whip", "url": "http://h/", "port": 1}})", "target.port: ", "contradicts");
  refuses_with(R"({"target": {"transport": "whip", "url": "http://h/", "token": "a b"}})", "target.token: ", "letters");
  refuses_with(R"({"target": {"transport": "whip", "url": "http://h/", "token": "\u0061"}})",
               "target.token: ", "without escapes");
  refuses_with(R"({"target": {"url": "http://h/"}})", "target.url: ", "contradicts");
  refuses_with(R"({"target": {"transport": "webrtc", "host": "localhost"}})", "target.host: ", "contradicts");
  refuses_with(R"({"target": {"transport": "webrtc", "port": 5002}})", "target.port: ", "contradicts");
  refuses_with(R"({"target": {"transport": "tcp"}})", "target.transport: ", "known: udp");
  refuses_with(R"({"outputs": ["junit"]})", "outputs[0]: ", "not available yet");
  refuses_with(R"({"video": {"codec": "av1"}})", "video.codec: ", "h264");
}
END_TEST

START_TEST(spikes_hit_only_those_in_the_test) {
  refuses_with(
      R"({"num_participants": 10, "spikes": [{"spike_id": "a", "type": "audio_silence", "participant_ids": [1010, 1011]}]})",
      "spikes: ", "participant 1011 is not in this test, which has 1001 to 1010");
  refuses_with(R"({"spikes": [{"type": "audio_silence", "participant_ids": [-1]}]})",
               "spikes[0].participant_ids[0]: ", "0 to");
}
END_TEST

START_TEST(test_ids_are_safe_in_urls_and_labels) {
  ck_assert(must(R"({"test_id": "a.b-c_d:9"})").test_id == "a.b-c_d:9");
  for (const char *bad : {"a b", "a/b", "a\\\"b", "a\\nb", "<a>"}) {
    refuses_with(std::string("{\"test_id\": \"") + bad + "\"}", "test_id: ", "");
  }
}
END_TEST

START_TEST(thresholds_take_every_form) {
  const auto s = must(
      R"({"thresholds": {"loss_percent{media:video}": ["avg<2", {"expr": "p(95) < 5", "severity": "warn", "scope": "during",
      "per": "participant", "for_seconds": "3s", "allow_no_data": true}],
    "mos_score": "min>2", "jitter-ms": {"threshold": "max<100", "abortOnFail": true, "delayAbortEval": "10s"}}})");
  ck_assert_int_eq(static_cast<int>(s.thresholds.size()), 4);
  ck_assert(s.thresholds[0].selectors.at("media") == "video" && s.thresholds[0].limit == 2 && !s.thresholds[0].warn);
  const auto &t = s.thresholds[1];
  ck_assert(t.warn && t.scope == Threshold::Scope::during && t.per == Threshold::Per::participant);
  ck_assert(t.for_seconds == 3 && t.allow_no_data && t.aggregate == Aggregate::percentile && t.percentile == 95);
  ck_assert(s.thresholds[3].abort_on_fail && s.thresholds[3].delay_seconds == 10);
  refuses_with(R"({"thresholds": {"loss": ["avg<2"]}})", "thresholds.loss[0]: ", "unknown metric");
  refuses_with(R"({"thresholds": {"mos_score": ["mean>2"]}})", "thresholds.mos_score[0]: ", "unknown aggregate");
  refuses_with(R"({"thresholds": {"mos_score": [{"expr": "min>2", "scope": "later"}]}})",
               "thresholds.mos_score[0].scope: ", "known: before");
  refuses_with(R"({"thresholds": {"mos_score": [{"severity": "warn"}]}})", "thresholds.mos_score[0].expr: ", "missing");
  refuses_with(R"({"thresholds": {"mos_score": [{"expr": "min>2", "severty": "warn"}]}})",
               "thresholds.mos_score[0].severty: ", "severity");
}
END_TEST

START_TEST(a_token_is_not_kept_with_the_text) {
  const auto s =
      must(R"({"target": {"transport": "whip", "url": "http://h/{room}/{id}", "token": "a.b-c=", "room": "r"}})");
  ck_assert(s.target->transport == Target::Transport::whip);
  avc_assert_text(s.target->url, "http://h/{room}/{id}");
  avc_assert_text(s.target->token, "a.b-c=");
  avc_assert_text(s.target->room, "r");
  ck_assert_msg(s.text.find("a.b-c=") == std::string::npos && s.text.find("***") != std::string::npos, "%s",
                s.text.c_str());
}
END_TEST

START_TEST(subscribers_are_so_many_for_each_participant) {
  ck_assert_uint_eq(must("{}").subscribers.count, 0);
  ck_assert_uint_eq(must(R"({"num_participants": 2, "subscribers": {}})").subscribers.count, 1);
  const auto s = must(
      R"({"num_participants": 100, "subscribers": {"count": 5, "whep_url": "http://h/{room}/{id}", "token": "secret"}})");
  ck_assert_uint_eq(s.subscribers.count, 5);
  avc_assert_text(s.subscribers.whep_url, "http://h/{room}/{id}");
  ck_assert(s.text.find("secret") == std::string::npos);
  refuses_with(R"({"num_participants": 100, "subscribers": {"count": 6, "whep_url": "http://h/"}})",
               "subscribers.count: ", "are 600; at most 500");
  refuses_with(R"({"num_participants": 100, "subscribers": {"count": 3}})", "subscribers.count: ", "at most 200");
  refuses_with(R"({"subscribers": {"token": "a"}})", "subscribers.token: ", "no use without whep_url");
  refuses_with(R"({"subscribers": {"whep_url": "http://h/", "token": "a b"}})", "subscribers.token: ", "letters");
  refuses_with(R"({"subscribers": {"number": 1}})", "subscribers.number: ", "");
  must(R"({"target": {"transport": "whip", "url": "http://h/", "token": "t"}, "num_participants": 1,
           "subscribers": {"whep_url": "http://h/", "token": "t"}})");
}
END_TEST

START_TEST(a_connection_is_replaced_only_where_participants_publish) {
  const std::string spikes = R"("spikes": [{"spike_id": "r", "type": "ice_restart"}])",
                    drawn = R"("spikes": {"types": {"srtp_rekey": {"weight": 1}}})",
                    unused = R"("spikes": {"types": {"srtp_rekey": {"weight": 0}, "blackout": {"weight": 1}}})",
                    whip = R"("target": {"transport": "whip", "url": "http://h/{id}"})";
  must("{" + spikes + "," + whip + "}");
  must("{" + drawn + "," + whip + "}");
  must("{" + unused + "}");
  for (const char *target : {"", R"(, "target": {"transport": "webrtc"})", R"(, "target": {"transport": "udp"})"}) {
    refuses_with("{" + spikes + target + "}",
                 "spikes: ", "spike \"r\": ice_restart needs a participant that publishes");
    refuses_with("{" + drawn + target + "}", "spikes.types.srtp_rekey: ", "needs a participant that publishes by WHIP");
  }
}
END_TEST

START_TEST(parts_are_read) {
  const auto s = must(R"({"description": "d", "tags": {"team": "av"}, "target": {"host": "10.1.2.3", "port": 5004},
    "media": {"video_path": "v.h264", "audio_path": "a.opus", "fps": 25}, "renditions": "300, 2500,600", "contexts": 2,
    "decision_log": true, "adaptive": false, "outputs": ["html", "json"], "base_url": "http://localhost:8080",
    "metrics": {"display_interval_seconds": 2},
    "network_profile": {"delay-ms": 40, "jitter_ms": 5, "loss_percentage": 0.5, "burst_length": 3, "bandwidth_kbps": 4000, "queue_ms": 80}})");
  ck_assert(s.tags.at("team") == "av" && s.target->host == "10.1.2.3" && s.target->port == 5004);
  ck_assert(s.target->transport == Target::Transport::udp && s.media.video_path == "v.h264" && s.media.fps == 25);
  ck_assert(s.renditions_kbps == (std::vector<std::uint32_t>{2500, 600, 300}) && s.contexts == 2 && s.decision_log &&
            !s.adaptive);
  ck_assert(s.network.link.delay_ms == 40 && s.network.link.loss_percent == 0.5 &&
            s.network.link.loss_model == net::LossModel::burst);
  ck_assert(s.network.link.bandwidth_kbps == 4000 && s.network.link.queue_ms == 80 && s.outputs.size() == 2);
  ck_assert(s.base_url == "http://localhost:8080" && s.warnings.empty());
}
END_TEST

START_TEST(a_spike_request_names_its_faults) {
  const auto good = parse_spike(
      R"({"spike_id": "x", "type": "frame_drop", "duration_seconds": 4, "params": {"drop_percentage": "30"}, "colour": 1})");
  ck_assert(std::holds_alternative<SpikeRequest>(good));
  ck_assert(std::get<SpikeRequest>(good).spike.type == "frame_drop" &&
            std::get<SpikeRequest>(good).warnings.size() == 1);
  const auto first = [](std::string_view text) {
    const auto result = parse_spike(text);
    return std::holds_alternative<SpikeRequest>(result) ? "accepted" : std::get<1>(result).at(0).text();
  };
  ck_assert(first(R"({"type": "frame_drop", "params": {"drop_percentage": 3}})") == "spike_id: is missing");
  ck_assert(first(R"({"spike_id": "x"})") == "type: is missing");
  ck_assert(
      first(R"({"spike_id": "x", "type": "bitrate_reduce"})").starts_with("params.new_bitrate_kbps: is required"));
  ck_assert(first("null") == "spike_id: is missing");
  ck_assert(first("[1]") == "must be an object, not a list");
  ck_assert(first("").starts_with("not valid JSON"));
  ck_assert(first("{\"spike_id\": \"x\"").starts_with("not valid JSON"));
}
END_TEST

START_TEST(renditions_come_from_what_spikes_ask_for) {
  const auto s = must(R"({"duration_seconds": 60, "spikes": [
    {"type": "bitrate_reduce", "params": {"new_bitrate_kbps": 600}}, {"type": "bitrate_reduce", "params": {"new_bitrate_kbps": 300}},
    {"type": "bitrate_reduce", "params": {"new_bitrate_kbps": 600}}, {"type": "bitrate_reduce", "params": {"new_bitrate_kbps": 9000}}]})");
  ck_assert(renditions_of(s, plan_of(s, 1)) == (std::vector<std::uint32_t>{2500, 600, 300}));
  const auto many = must(R"({"spikes": {"types": {"bitrate_reduce": {"weight": 1}}}})");
  const auto renditions = renditions_of(many, plan_of(many, 1));
  ck_assert_int_eq(static_cast<int>(renditions.size()), 6);
  ck_assert(std::is_sorted(renditions.rbegin(), renditions.rend()));
  for (const auto &planned : plan_of(many, 1).spikes) {
    ck_assert(std::get<double>(planned.spike.params.at("new_bitrate_kbps")) >= renditions.back());
  }
}
END_TEST

START_TEST(participants_join_over_the_ramp_in_the_order_of_their_ids) {
  using std::chrono::milliseconds;
  const auto s = must(R"({"num_participants": 7, "duration_seconds": 30, "ramp": {"seconds": "30s"}})");
  ck_assert(s.ramp == std::chrono::seconds(30));
  ck_assert(join_time(s, 1001) == milliseconds(0) && join_time(s, 1002) == milliseconds(4285) &&
            join_time(s, 1007) == milliseconds(25714));
  ck_assert_double_eq_tol(spawn_rate(s), 7.0 / 30, 1e-12);
  const auto rate = must(R"({"num_participants": 10, "ramp": {"spawn-rate": 2.5}})");
  ck_assert(rate.ramp == std::chrono::seconds(4) && join_time(rate, 1010) == milliseconds(3600));
  for (const char *none : {"{}", R"({"ramp": {}})", R"({"ramp": {"seconds": 0, "spawn_rate": 0}})"}) {
    const auto all_at_once = must(none);
    ck_assert(all_at_once.ramp == Nanos(0) && !join_time(all_at_once, 1001) && ramp_load(all_at_once, {}).empty());
  }
  const auto many =
      must(R"({"num_participants": 100000, "duration_seconds": 0, "ramp": {"seconds": 86400}})", Source::create_body);
  ck_assert(join_time(many, 101000) == milliseconds(86399136));
}
END_TEST

START_TEST(a_ramp_that_cannot_be_is_refused_with_its_field) {
  refuses(R"({"ramp": {"seconds": -3}})", "ramp.seconds: -3 is not accepted; it must be 0 to 86400");
  refuses(R"({"ramp": {"spawn_rate": -1}})", "ramp.spawn_rate: -1 is not accepted; it must be 0 to 100000");
  refuses(R"({"duration_seconds": 20, "ramp": {"seconds": 20.5}})",
          "ramp.seconds: all have joined after 20.5 s only, and the test is over after 20 (duration_seconds)");
  refuses(R"({"duration_seconds": 20, "num_participants": 90, "ramp": {"spawn_rate": 3}})",
          "ramp.spawn_rate: all have joined after 30 s only, and the test is over after 20 (duration_seconds)");
  refuses_with(R"({"ramp": {"spawn_rate": 1e-300}})",
               "ramp.spawn_rate: ", "and the test is over after 600 (duration_seconds)");
  refuses(R"({"num_participants": 16, "ramp": {"spawn_rate": 0.0001220703125}})",
          "ramp.spawn_rate: all have joined after 131072 s only, at most 86400 are accepted", Source::create_body);
  refuses_with(R"({"ramp": {"seconds": 3, "spawn_rate": 1}})", "ramp.spawn_rate: ", "contradicts ramp.seconds");
  refuses_with(R"({"ramp": {"rate": 3}})", "ramp.rate: ", "unknown key");
  refuses_with(R"({"ramp": 30})", "ramp: ", "must be an object");
}
END_TEST

START_TEST(load_is_participants_times_media) {
  const auto s = must(R"({"num_participants": 10})");
  const auto load = planned_load(s, {250, 2600});
  ck_assert_double_eq_tol(load.packets_per_second, 2500, 1e-9);
  ck_assert_double_eq_tol(load.mbit_per_second, 26, 1e-9);
}
END_TEST

AVC_TESTS("scenario", defaults_are_the_contracts, an_old_create_body_is_taken_unchanged,
          partial_objects_are_completed_field_by_field, participants_join_over_the_ramp_in_the_order_of_their_ids,
          a_ramp_that_cannot_be_is_refused_with_its_field, spikes_as_an_object_are_the_old_random_generator,
          drawn_spikes_may_be_distributed_too, one_seed_gives_one_plan,
          durations_and_names_may_be_written_in_several_ways, all_faults_are_found_at_once,
          bad_numbers_are_refused_with_the_field_and_the_range, random_settings_are_checked_with_their_path,
          contradictions_name_both_sides, what_comes_later_is_said_not_ignored, spikes_hit_only_those_in_the_test,
          test_ids_are_safe_in_urls_and_labels, thresholds_take_every_form, a_token_is_not_kept_with_the_text,
          subscribers_are_so_many_for_each_participant, a_connection_is_replaced_only_where_participants_publish,
          parts_are_read, a_spike_request_names_its_faults, renditions_come_from_what_spikes_ask_for,
          load_is_participants_times_media)
