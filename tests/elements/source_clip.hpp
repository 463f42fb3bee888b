// A small generated clip from an avchaossrc, what was sent of it, and spikes sent to it.
#pragma once

#include "elements/support/chaos_events.hpp"
#include "tests/elements/source_bench.hpp"

namespace avc::test {

inline constexpr const char *kSink = "fakesink sync=false async=false ";

// A small generated clip of 5 s at 25 fps.
inline std::string source_text(const std::string &more = "") {
  static const Folder folder;
  return "avchaossrc name=s width=160 height=96 fps=25 bitrate-kbps=300 start-offset-ms=0 cache-dir=" + folder.path() +
         " " + more + " ";
}

inline std::vector<SentPacket> packets_of(const Sent &sent, unsigned ssrc) {
  std::vector<SentPacket> packets;
  for (const auto &list : sent.lists)
    for (const auto &packet : list)
      if (packet.header.ssrc == ssrc) packets.push_back(packet);
  return packets;
}

inline void assert_no_hole(const std::vector<SentPacket> &packets) {
  for (std::size_t i = 1; i < packets.size(); ++i)
    ck_assert_uint_eq(packets[i].header.sequence, static_cast<std::uint16_t>(packets[i - 1].header.sequence + 1));
}

inline std::size_t frames_between(const Sent &sent, GstClockTime from, GstClockTime to, unsigned ssrc = 1001000) {
  std::size_t count = 0;
  for (const auto &list : sent.lists) count += list[0].header.ssrc == ssrc && list[0].pts >= from && list[0].pts < to;
  return count;
}

inline double kbps_between(const Sent &sent, GstClockTime from, GstClockTime to) {
  double bytes = 0;
  for (const auto &packet : packets_of(sent, 1001000))
    if (packet.pts >= from && packet.pts < to) bytes += static_cast<double>(packet.payload.size());
  return bytes * 8 / 1000 / (static_cast<double>(to - from) / GST_SECOND);
}

inline void start_spike(const SourceBench &bench, const char *pad, const std::string &id, const std::string &type,
                        GstClockTime at, spike::Params params, GstClockTime end = GST_CLOCK_TIME_NONE) {
  gst_pad_send_event(bench.pad(pad).get(),
                     give(make_event(SpikeStart{id, type, at, end, std::move(params)}, Direction::upstream)));
}

inline void end_spike(const SourceBench &bench, const char *pad, const std::string &id, GstClockTime at) {
  gst_pad_send_event(bench.pad(pad).get(), give(make_event(SpikeEnd{id, at}, Direction::upstream)));
}

}  // namespace avc::test
