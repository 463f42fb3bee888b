#include "core/spike/effect.hpp"

#include <limits>
#include <set>

#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"
#include "core/text.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::spike;

namespace {

Effect must(std::string_view type, const Params &params) {
  const auto effect = effect_of(type, params);
  ck_assert_msg(static_cast<bool>(effect), "refused: %s", effect ? "" : effect.error().text().c_str());
  return *effect;
}

void refuses(std::string_view type, const Params &params, std::string_view field, std::string_view part) {
  const auto effect = effect_of(type, params);
  ck_assert_msg(!effect, "accepted");
  ck_assert_msg(effect.error().field == field, "field %s", effect.error().field.c_str());
  ck_assert_msg(effect.error().message.find(part) != std::string::npos, "text: %s", effect.error().message.c_str());
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

}  // namespace

START_TEST(loss_takes_numbers_and_decimal_strings) {
  ck_assert(must("rtp_packet_loss", {{"loss_percentage", 12.5}}).link.loss_percent == 12.5);
  ck_assert(must("rtp_packet_loss", {{"loss_percentage", "12.5"}}).link.loss_percent == 12.5);
  ck_assert(must("rtp_packet_loss", {{"loss-percent", 3.0}}).link.loss_percent == 3);
  ck_assert(must("rtp_packet_loss", {}).link.loss_percent == 5);  // the old tool's at OS level
  ck_assert(must("rtp_packet_loss", {{"loss_percentage", 0.0}}).link == net::Impairment{});
}
END_TEST

START_TEST(burst_loss_has_a_run_length) {
  const auto link =
      must("rtp_packet_loss", {{"loss_percentage", 10.0}, {"pattern", "burst"}, {"burst_length", "8"}}).link;
  ck_assert(link.loss_model == net::LossModel::burst && link.burst_length == 8);
  ck_assert(must("rtp_packet_loss", {{"pattern", "random"}}).link.loss_model == net::LossModel::random);
  refuses("rtp_packet_loss", {{"pattern", "bursty"}}, "params.pattern", "random or burst");
  refuses("rtp_packet_loss", {{"burst_length", 8.0}}, "params.burst_length", "pattern \"burst\"");
  refuses("rtp_packet_loss", {{"pattern", "burst"}, {"burst_length", 0.5}}, "params.burst_length", "1 to 1000 packets");
}
END_TEST

START_TEST(jitter_is_delay_and_never_reorders_unasked) {
  const auto plain = must("network_jitter", {}).link;
  ck_assert(plain.delay_ms == 20 && plain.jitter_ms == 50 && !plain.allow_reordering);
  ck_assert(plain.delay_distribution == net::DelayDistribution::normal);
  const auto link =
      must("network_jitter", {{"base_latency_ms", "100"}, {"jitter_std_dev_ms", "200"}, {"allow_reordering", "true"}})
          .link;
  ck_assert(link.delay_ms == 100 && link.jitter_ms == 200 && link.allow_reordering);
  ck_assert(must("network_jitter", {{"allow_reordering", 1.0}}).link.allow_reordering);
  ck_assert(!must("network_jitter", {{"allow_reordering", "0"}}).link.allow_reordering);
  refuses("network_jitter", {{"allow_reordering", 2.0}}, "params.allow_reordering", "false or true");
  refuses("network_jitter", {{"base_latency_ms", 10001.0}}, "params.base_latency_ms", "0 to 10000 ms");
}
END_TEST

START_TEST(packets_are_duplicated_reordered_and_corrupted) {
  const auto twice = must("packet_duplicate", {{"duplicate_percentage", 3.0}, {"correlation", "25"}}).link;
  ck_assert(twice.duplicate_percent == 3 && twice.duplicate_correlation == 25);
  const auto order = must("packet_reorder", {{"gap", 5.0}}).link;
  ck_assert(order.reorder_percent == 25 && order.reorder_gap == 5 && order.delay_ms == 20);
  const auto bits = must("packet_corrupt", {{"headers", "true"}}).link;
  ck_assert(bits.corrupt_percent == 1 && bits.corrupt_headers);
}
END_TEST

START_TEST(whole_kinds_of_packets_are_lost) {
  ck_assert(must("blackout", {}).link == (net::Impairment{.loss_percent = 100}));
  ck_assert(must("keyframe_loss", {}).link ==
            (net::Impairment{.apply_to = net::ApplyTo::keyframes, .loss_percent = 100}));
  ck_assert(must("rtcp_loss", {{"loss_percentage", 50.0}}).link ==
            (net::Impairment{.apply_to = net::ApplyTo::rtcp, .loss_percent = 50}));
}
END_TEST

START_TEST(a_profile_is_known_by_name) {
  ck_assert(must("network_profile", {{"profile", "3g"}}).link == *net::profile("3g"));
  refuses("network_profile", {{"profile", "5g"}}, "params.profile", "lte-moving");
  refuses("network_profile", {}, "params.profile", "required");
}
END_TEST

START_TEST(a_profile_is_changed_or_made_by_settings_of_a_link) {
  const auto changed = must("network_profile", {{"profile", "3g"}, {"loss-percentage", "7"}}).link;
  auto expected = *net::profile("3g");
  expected.loss_percent = 7;
  ck_assert(changed == expected);
  const auto own = must("network_profile", {{"delay_ms", 30.0}, {"apply_to", "audio"}, {"link_trace", "lte"}});
  ck_assert(own.link.delay_ms == 30 && own.link.apply_to == net::ApplyTo::audio && own.link.link_trace);
  avc_assert_text(must("network_profile", {{"link_trace", "dir/own.trace"}}).trace_location, "dir/own.trace");
  refuses("network_profile", {}, "params.profile", "is required");
  refuses("network_profile", {{"delay_ms", -1.0}}, "params.delay_ms", "0 to 3600000 ms");
  refuses("network_profile", {{"delay", 1.0}}, "params.delay", "unknown setting");
  refuses("network_profile", {{"loss_percent", 1.0}, {"loss-percentage", 2.0}}, "params.loss_percent", "given twice");
  refuses("network_profile", {{"link_trace", "./own"}, {"bandwidth_kbps", 100.0}}, "params.link_trace", "contradicts");
  refuses("network_profile", {{"profile", "tunnel"}, {"bandwidth_kbps", 100.0}}, "params.link_trace", "contradicts");
}
END_TEST

START_TEST(a_trace_is_built_in_or_a_file) {
  const auto lte = must("link_trace", {{"trace", "lte"}, {"queue_discipline", "codel"}});
  ck_assert(lte.link.link_trace == net::built_in_trace("lte") && lte.trace_location.empty());
  ck_assert(lte.link.queue_discipline == net::QueueDiscipline::codel && lte.link.queue_ms == 200);
  const auto file = must("link_trace", {{"trace", "traces/mine.txt"}});
  ck_assert(!file.link.link_trace && file.trace_location == "traces/mine.txt");
  refuses("link_trace", {{"trace", "wlan"}}, "params.trace", "lte, wifi, tunnel");
}
END_TEST

START_TEST(source_types_leave_the_link_alone) {
  const auto bitrate = must("bitrate_reduce", {{"new_bitrate_kbps", "600"}, {"transition_seconds", 2.5}});
  ck_assert(bitrate.source.max_bitrate_kbps == 600 && bitrate.source.transition == from_ms(2500));
  ck_assert(bitrate.link == net::Impairment{});
  const auto drop = must("frame_drop", {{"drop_percentage", 30.0}});
  ck_assert(drop.source.frame_drop_percent == 30 && drop.link == net::Impairment{});
  const auto silence = must("audio_silence", {});
  ck_assert(silence.source.audio_silence && silence.link == net::Impairment{});
}
END_TEST

START_TEST(bandwidth_limit_is_a_rate_with_a_queue) {
  const auto plain = must("bandwidth_limit", {});
  ck_assert(plain.link.bandwidth_kbps == 1000 && plain.link.queue_ms == 200 && plain.source == SourceEffect{});
  ck_assert(must("bandwidth_limit", {{"bandwidth_kbps", "750"}, {"queue_ms", 50.0}}).link.queue_ms == 50);
  refuses("bandwidth_limit", {{"bandwidth_kbps", 0.0}}, "params.bandwidth_kbps", "1 to 10000000 kbit/s");
}
END_TEST

START_TEST(what_must_be_given_is_asked_for) {
  refuses("bitrate_reduce", {}, "params.new_bitrate_kbps", "required");
  refuses("frame_drop", {}, "params.drop_percentage", "0 to 100 percent");
}
END_TEST

START_TEST(no_parameter_of_any_type_takes_a_number_out_of_its_range) {
  int checked = 0;
  for (const auto &type : types()) {
    for (const auto &param : type.params) {
      for (const Value &bad :
           {Value(kNan), Value(kInf), Value(-kInf), Value(-1e12), Value(1e12), Value("NaN"), Value("inf"),
            Value("1e999"), Value("-1e12"), Value(""), Value("ten"), Value("0x10"), Value(" 5")}) {
        refuses(type.name, {{std::string(param.name), bad}}, "params." + std::string(param.name), param.range);
        ++checked;
      }
    }
  }
  ck_assert_int_ge(checked, 13 * 12);
}
END_TEST

START_TEST(sender_types_leave_the_link_alone_and_say_what_happens_to_packets) {
  const auto leave = must("participant_leave", {});
  ck_assert(leave.source == (SourceEffect{.absent = true}) && leave.tagger == (TaggerEffect{.absent = true}));
  ck_assert(!must("participant_leave", {{"bye", "false"}}).tagger.bye);
  ck_assert(must("packet_flood", {}).tagger == (TaggerEffect{.flood_per_second = 500, .flood_bytes = 1000}));
  ck_assert(must("ssrc_change", {{"media", "video"}}).tagger ==
            (TaggerEffect{.media = Media::video, .new_ssrc = true}));
  ck_assert(must("timestamp_jump", {{"jump_ms", -250.5}, {"media", "audio"}}).tagger ==
            (TaggerEffect{.media = Media::audio, .timestamp_jump = from_ms(-250.5)}));
  ck_assert(must("sequence_jump", {{"packets", "65535"}}).tagger == (TaggerEffect{.sequence_jump = 65535}));
  for (const auto *type : {"participant_leave", "packet_flood", "ssrc_change", "timestamp_jump", "sequence_jump"})
    ck_assert(must(type, {}).link == net::Impairment{});
}
END_TEST

START_TEST(what_is_counted_must_be_whole) {
  refuses("sequence_jump", {{"packets", 1.5}}, "params.packets", "1 to 65535 packets, a whole number");
  refuses("sequence_jump", {{"packets", 65536.0}}, "params.packets", "1 to 65535");
  refuses("packet_flood", {{"packet_bytes", 100.5}}, "params.packet_bytes", "whole");
  refuses("packet_flood", {{"packets_per_second", 0.0}}, "params.packets_per_second", "1 to 10000 1/s");
  refuses("timestamp_jump", {{"jump_ms", -3600001.0}}, "params.jump_ms", "-3600000 to 3600000 ms");
  refuses("ssrc_change", {{"media", "screen"}}, "params.media", "both or video or audio");
}
END_TEST

START_TEST(every_documented_fallback_is_accepted) {
  for (const auto &type : types()) {
    Params params;
    for (const auto &param : type.params) {
      if (param.name == "burst_length") continue;
      const std::string required = param.name == "profile" ? "3g" : param.name == "trace" ? "lte" : "50";
      params.emplace(param.name, param.fallback.empty() ? required : std::string(param.fallback));
    }
    must(type.name, params);
  }
}
END_TEST

START_TEST(unknown_names_are_refused_with_what_was_meant) {
  refuses("rtp_packet_loss", {{"loss_percentge", 1.0}}, "params.loss_percentge", "did you mean \"loss_percentage\"?");
  refuses("audio_silence", {{"volume", 1.0}}, "params.volume", "takes none");
  refuses("packet_loss", {}, "type", "did you mean \"rtp_packet_loss\"?");
  refuses("rtp-packet-loss", {}, "type", "did you mean \"rtp_packet_loss\"?");
  refuses("xyz", {}, "type", "known: rtp_packet_loss, network_jitter");
  refuses("", {}, "type", "missing");
  refuses("rtp_packet_loss", {{"loss_percent", 1.0}, {"loss_percentage", 1.0}}, "params.loss_percentage",
          "given twice");
}
END_TEST

START_TEST(some_replace_the_connection_and_need_one) {
  for (const auto &type : types()) {
    const bool replaces = type.name == "srtp_rekey" || type.name == "ice_restart";
    ck_assert_msg(needs_connection(type.name) == replaces, "%s", std::string(type.name).c_str());
  }
  ck_assert(must("ice_restart", {}).new_connection && !must("blackout", {}).new_connection);
  ck_assert(must("srtp_rekey", {}).link == must("frame_drop", {{"drop_percentage", 1.0}}).link);
  refuses("ice_restart", {{"loss_percent", 1.0}}, "params.loss_percent", "takes none");
  ck_assert(!needs_connection("no_such_type"));
  const auto refusal = refused_without_connection("srtp_rekey");
  ck_assert(refusal.field == "type" && refusal.message.starts_with("srtp_rekey needs a participant that publishes"));
}
END_TEST

START_TEST(old_clients_may_name_a_port) {
  ck_assert(must("bandwidth_limit", {{"bandwidth_kbps", "500"}, {"port", "5002"}}).link.bandwidth_kbps == 500);
  refuses("network_jitter", {{"port", 65536.0}}, "params.port", "0 to 65535");
}
END_TEST

START_TEST(the_catalogue_names_each_type_once) {
  std::set<std::string_view> names;
  for (const auto &type : types()) {
    ck_assert(names.insert(type.name).second && !type.summary.empty());
    for (const auto &param : type.params) ck_assert(!param.meaning.empty() && !param.range.empty());
  }
  ck_assert_int_eq(static_cast<int>(names.size()), 21);
}
END_TEST

AVC_TESTS("effect", loss_takes_numbers_and_decimal_strings, burst_loss_has_a_run_length,
          jitter_is_delay_and_never_reorders_unasked, packets_are_duplicated_reordered_and_corrupted,
          whole_kinds_of_packets_are_lost, a_profile_is_known_by_name,
          a_profile_is_changed_or_made_by_settings_of_a_link, a_trace_is_built_in_or_a_file,
          source_types_leave_the_link_alone, bandwidth_limit_is_a_rate_with_a_queue, what_must_be_given_is_asked_for,
          no_parameter_of_any_type_takes_a_number_out_of_its_range,
          sender_types_leave_the_link_alone_and_say_what_happens_to_packets, what_is_counted_must_be_whole,
          every_documented_fallback_is_accepted, unknown_names_are_refused_with_what_was_meant,
          some_replace_the_connection_and_need_one, old_clients_may_name_a_port, the_catalogue_names_each_type_once)
