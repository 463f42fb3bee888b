// spikescheduler with its neighbours: a spike begins and ends at the same packet for all of them and leaves nothing.
#include "tests/elements/scheduler_bench.hpp"
#include "tests/elements/source_clip.hpp"

using namespace avc;
using namespace avc::test;

namespace {

struct Kind {
  const char *type, *params;
};
// Every type that plain RTP can carry; the base is a perfect link, so what is left of one shows.
const Kind kKinds[] = {{"rtp_packet_loss", R"("loss_percent":40,"pattern":"burst")"},
                       {"network_jitter", R"("base_latency_ms":30,"jitter_std_dev_ms":20)"},
                       {"bandwidth_limit", R"("bandwidth_kbps":100)"},
                       {"packet_duplicate", R"("duplicate_percentage":30)"},
                       {"packet_reorder", ""},
                       {"packet_corrupt", R"("corrupt_percentage":50)"},
                       {"blackout", ""},
                       {"keyframe_loss", ""},
                       {"rtcp_loss", ""},
                       {"network_profile", R"("profile":"3g")"},
                       {"link_trace", R"("trace":"lte")"},
                       {"bitrate_reduce", R"("new_bitrate_kbps":200)"},
                       {"frame_drop", R"("drop_percentage":50)"},
                       {"audio_silence", ""},
                       {"participant_leave", ""},
                       {"packet_flood", ""},
                       {"ssrc_change", ""},
                       {"timestamp_jump", ""},
                       {"sequence_jump", ""}};

// On one thread: of several, each with a time of its own to wait for, the test's clock cannot know who is late.
std::string chain_text(const std::string &spikes, const std::string &extra = "") {
  return source_text("renditions=300,150 participant-id=1001 context=chain ") +
         "s.rtp ! participanttagger rtcp-interval-ms=0 ! spikescheduler name=sch context=chain schedule=" +
         quoted("[" + spikes + "]") + " " + extra + " ! chaosdegrader seed=3 context=chain ! " + kSink + "name=k";
}

// What reaches the receiver, by its place on the time line.
struct Chain {
  Sent sent;
  SourceBench bench;

  explicit Chain(const std::string &text) : bench(text) {
    const auto sink = take(gst_bin_get_by_name(GST_BIN(bench.pipeline()), "k"));
    const auto pad = take(gst_element_get_static_pad(sink.get(), "sink"));
    const auto types = GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST;
    gst_pad_add_probe(pad.get(), static_cast<GstPadProbeType>(types), keep_any, &sent, nullptr);
    bench.play();
  }

  static GstPadProbeReturn keep_any(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    auto &sent = *static_cast<Sent *>(data);
    const std::lock_guard hold(sent.mutex);
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
      GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
      for (guint i = 0; i < gst_buffer_list_length(list); ++i) add(sent, pad, gst_buffer_list_get(list, i));
    } else if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
      add(sent, pad, GST_PAD_PROBE_INFO_BUFFER(info));
    }
    return GST_PAD_PROBE_OK;
  }
  static void add(Sent &sent, GstPad *pad, GstBuffer *buffer) {
    const auto bytes = bytes_of(buffer);
    const auto header = rtp::parse(bytes);
    if (!header) return;  // corrupt
    SentPacket packet{*header, {header->payload.begin(), header->payload.end()}, GST_BUFFER_PTS(buffer)};
    const auto sink = take(gst_pad_get_parent_element(pad));
    const auto clock = take(gst_element_get_clock(sink.get()));
    packet.size = gst_clock_get_time(clock.get()) - packet.pts;  // how late it is
    sent.lists.push_back({packet});
  }

  // Packets with their times on the line; without numbers where a spike has taken some away for good.
  std::vector<std::string> after(GstClockTime from, GstClockTime to, bool numbered) const {
    std::vector<std::string> all;
    for (const auto &list : sent.lists) {
      const SentPacket &packet = list[0];
      if (packet.pts < from || packet.pts >= to) continue;
      all.push_back(std::to_string(packet.pts) + " " + std::to_string(packet.size) + " " +
                    std::to_string(packet.header.ssrc) + " " + std::to_string(packet.header.timestamp) + " " +
                    (numbered ? std::to_string(packet.header.sequence) : "") + packet.payload);
    }
    return all;
  }
};

// Without spikes: while they would be in force, with numbers, and after them, there without numbers and with them.
struct Plain {
  std::vector<std::string> during, after[2];
};
const Plain &plain() {
  static const Plain all = [] {
    Chain chain(chain_text(""));
    chain.bench.advance_to(ms(4200));
    return Plain{chain.after(ms(610), ms(1700), true),
                 {chain.after(ms(3000), ms(4000), false), chain.after(ms(3000), ms(4000), true)}};
  }();
  ck_assert_uint_gt(all.during.size(), 75);
  ck_assert_uint_gt(all.after[0].size(), 75);
  return all;
}

bool renumbers(const char *type) { return std::string(type) == "frame_drop" || std::string(type) == "bitrate_reduce"; }

void check_pairs_with(std::size_t from, std::size_t to) {
  for (std::size_t first = from; first < to; ++first) {
    for (std::size_t second = first; second < std::size(kKinds); ++second) {
      const Kind &one = kKinds[first], &two = kKinds[second];
      Chain chain(chain_text(spike_text("one", one.type, 0.61, 1.1, one.params) + "," +
                             spike_text("two", two.type, 1.01, 0.9, two.params)));
      chain.bench.advance_to(ms(4200));
      const bool numbered = !renumbers(one.type) && !renumbers(two.type);
      ck_assert_msg(chain.after(ms(3000), ms(4000), numbered) == plain().after[numbered], "%s and %s", one.type,
                    two.type);
      if (std::string(one.type) != "rtcp_loss")  // there are no reports here
        ck_assert_msg(chain.after(ms(610), ms(1700), true) != plain().during, "%s does nothing", one.type);
    }
  }
}

}  // namespace

// In four parts, for the time that one test may take.
GST_START_TEST(after_any_two_spikes_every_packet_is_as_without_them_1) { check_pairs_with(0, 3); }
GST_END_TEST;
GST_START_TEST(after_any_two_spikes_every_packet_is_as_without_them_2) { check_pairs_with(3, 6); }
GST_END_TEST;
GST_START_TEST(after_any_two_spikes_every_packet_is_as_without_them_3) { check_pairs_with(6, 10); }
GST_END_TEST;
GST_START_TEST(after_any_two_spikes_every_packet_is_as_without_them_4) { check_pairs_with(10, std::size(kKinds)); }
GST_END_TEST;

GST_START_TEST(source_and_tagger_begin_and_end_at_the_packet_where_the_time_comes) {
  Chain chain(chain_text(spike_text("s", "ssrc_change", 1, 0.5) + "," + spike_text("q", "audio_silence", 2, 0.5) + "," +
                         spike_text("l", "participant_leave", 3, 0.5) + "," + spike_text("z", "ssrc_change", 0, 0.1)));
  chain.bench.advance_to(ms(5000));
  for (const auto &list : chain.sent.lists) {
    const SentPacket &packet = list[0];
    const auto in = [&](guint64 from, guint64 to) { return packet.pts >= ms(from) && packet.pts < ms(to); };
    ck_assert_int_eq(packet.header.ssrc / 10 != 100100, in(0, 100) || in(1000, 1500));
    if (packet.header.payload_type == 111) ck_assert_int_eq(packet.payload == "\xf8\xff\xfe", in(2000, 2500));
    ck_assert(!in(3000, 3500));
  }
}
GST_END_TEST;

GST_START_TEST(who_joins_into_spikes_has_them_from_its_first_packet_on) {
  Sent sent;
  const std::string text = source_text("renditions=300,150 start-at-ms=2000 context=chain");
  SourceBench bench(text + "s.rtp ! participanttagger ! spikescheduler context=chain schedule=" +
                    quoted("[" + spike_text("q", "audio_silence", 1, 2) + "," +
                           spike_text("r", "bitrate_reduce", 0.5, 60, R"("new_bitrate_kbps":150)") + "]") +
                    " ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  bench.advance_to(ms(2900));
  double kbps = 0;
  ck_assert(gst_structure_get_double(bench.stats().get(), "bitrate-kbps", &kbps));
  ck_assert_msg(kbps == 150, "%g kbit/s", kbps);  // with the first keyframe
  const auto audio = packets_of(sent, 1001001);
  ck_assert_uint_eq(audio.size(), 45);
  ck_assert_uint_eq(audio.front().pts, ms(2000));
  for (const SentPacket &packet : audio)
    ck_assert_msg(packet.payload == "\xf8\xff\xfe", "%d ms", int(packet.pts / ms(1)));
}
GST_END_TEST;

AVC_GST_TESTS("spikescheduler_chain", after_any_two_spikes_every_packet_is_as_without_them_1,
              after_any_two_spikes_every_packet_is_as_without_them_2,
              after_any_two_spikes_every_packet_is_as_without_them_3,
              after_any_two_spikes_every_packet_is_as_without_them_4,
              source_and_tagger_begin_and_end_at_the_packet_where_the_time_comes,
              who_joins_into_spikes_has_them_from_its_first_packet_on)
