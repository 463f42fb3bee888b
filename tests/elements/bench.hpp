// An element, or several in a row, between two pads on a test clock at 0, PLAYING, with RTP caps and a participant.
#pragma once

#include "elements/support/chaos_events.hpp"
#include "tests/elements/rtp_packets.hpp"

namespace avc::test {

inline constexpr guint kSsrc = 1001000, kAudioSsrc = 1001001;
inline constexpr ParticipantInfo kParticipant{1001, kSsrc, kAudioSsrc, 96, 111, 42};

constexpr GstClockTime ms(guint64 n) { return n * GST_MSECOND; }

// A video packet, numbered from 0; the first's sequence number is such that 600 packets wrap it.
inline constexpr std::uint16_t kFirstSequence = 65000;
inline RtpPacket video(std::uint16_t n, GstClockTime pts) {
  return {{96, false, false, static_cast<std::uint16_t>(kFirstSequence + n), 0, kSsrc}, 100, pts};
}

inline std::vector<std::uint16_t> numbers_of(const std::vector<Ptr<GstBuffer>> &buffers) {
  std::vector<std::uint16_t> numbers;
  for (const auto &buffer : buffers) {
    numbers.push_back(static_cast<std::uint16_t>(header_of(bytes_of(buffer.get())).sequence - kFirstSequence));
  }
  return numbers;
}

struct PadBench {
  Ptr<GstClock> clock = take(gst_test_clock_new());
  Ptr<GstBus> bus = take(gst_bus_new());
  Ptr<GstHarness> h;

  enum class Introduced { at_once, by_the_test };  // who says who the participant is
  explicit PadBench(const std::string &launch, const ParticipantInfo &who = kParticipant,
                    Introduced introduced = Introduced::at_once) {
    GError *error = nullptr;
    const bool chain = launch.find('!') != std::string::npos;
    auto *parsed =
        chain ? gst_parse_bin_from_description(launch.c_str(), TRUE, &error) : gst_parse_launch(launch.c_str(), &error);
    auto element = take(GST_ELEMENT(gst_object_ref_sink(parsed)));
    ck_assert_msg(error == nullptr, "%s: %s", launch.c_str(), error ? error->message : "");
    gst_element_set_clock(element.get(), clock.get());
    gst_element_set_bus(element.get(), bus.get());
    h = take(gst_harness_new_with_element(element.get(), "sink", "src"));
    gst_harness_set_src_caps_str(h.get(), "application/x-rtp");
    if (introduced == Introduced::at_once) introduce(who);
  }
  ~PadBench() { gst_element_set_bus(element(), nullptr); }

  void introduce(const ParticipantInfo &who) { gst_harness_push_event(h.get(), give(make_event(who))); }
  GstElement *element() const { return h->element; }
  GstTestClock *test_clock() const { return GST_TEST_CLOCK(clock.get()); }
  GstFlowReturn push(const RtpPacket &packet) { return gst_harness_push(h.get(), give(packet_of(packet))); }
  guint64 stat(const char *field) const { return avc::test::stat(element(), field); }

  // To the next deadline, if somebody waits for one. (The clock's own way of waiting wants to know for how many.)
  void let_time_pass() {
    GstClockID next = nullptr;
    if (!gst_test_clock_peek_next_pending_id(test_clock(), &next)) {
      gst_test_clock_timed_wait_for_multiple_pending_ids(test_clock(), 1, 1, nullptr);
      return;
    }
    const GstClockTime time = gst_clock_id_get_time(next);
    gst_clock_id_unref(next);
    if (time > gst_clock_get_time(clock.get())) gst_test_clock_set_time(test_clock(), time);
    if (auto *served = gst_test_clock_process_next_clock_id(test_clock())) gst_clock_id_unref(served);
  }
  // From deadline to deadline until `enough` holds.
  template <class Enough>
  void pass_time_until(Enough enough) {
    while (!enough()) let_time_pass();
  }
  // The same until so many packets are out.
  std::vector<Ptr<GstBuffer>> play_out(std::size_t count) {
    std::vector<Ptr<GstBuffer>> out;
    const auto enough = [&] {
      while (out.size() < count) {
        auto *buffer = gst_harness_try_pull(h.get());
        if (!buffer) return false;
        out.push_back(take(buffer));
      }
      return true;
    };
    pass_time_until(enough);
    return out;
  }
  std::vector<Ptr<GstBuffer>> out_now() {
    std::vector<Ptr<GstBuffer>> out;
    while (auto *buffer = gst_harness_try_pull(h.get())) out.push_back(take(buffer));
    return out;
  }
};

}  // namespace avc::test
