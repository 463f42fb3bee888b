// What one chaosdegrader knows of its participant's network: the link with its base and its spikes, who the packets
// belong to, and what became of them so far. Numbers only; who calls must hold the lock it is in.
#pragma once

#include <gst/gst.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/link.hpp"
#include "core/stats/histogram.hpp"
#include "elements/degrader/decision_log.hpp"
#include "elements/degrader/packet_reader.hpp"

namespace avc::degrader {

// What to do with one packet.
struct Order {
  enum class Do : std::uint8_t { drop, send, bypass } what = Do::send;
  net::Stream stream = net::Stream::other;
  Instant at;  // send: when
  bool delayed = false;
};

class Model {
 public:
  struct Stream {
    guint64 in = 0, bytes_in = 0, lost = 0, queue_dropped = 0;
  };

  void restart(std::uint64_t seed);  // 0: the one that upstream's participant event names
  void set_base(const net::Impairment &base);
  void set_participant(const ParticipantInfo &info) { reader_.set_participant(info); }
  void set_caps(const GstCaps *caps) { reader_.set_caps(caps); }
  void flush();

  // In force from the first packet at or past the planned time on, so that an event that came early (its sender's timer
  // was quicker than a late source) changes no packet's fate. Twice the same id: the second one is ignored. Effects
  // that leave the link alone are no layer.
  void start_spike(const SpikeStart &spike);
  void end_spike(const SpikeEnd &spike);

  // `time`: the packet's place on the running time line, or nothing; `now` is used where nothing is known.
  Order admit(GstBuffer *buffer, std::optional<Instant> time, Instant now);
  const Decision &decision() const { return decision_; }  // about the packet admitted last, unless it was bypassed

  const Stream &stream(net::Stream kind) const { return streams_[static_cast<std::size_t>(kind)]; }
  Stream total() const;
  guint64 reordered() const { return reordered_; }
  const stats::Histogram &delays() const { return delays_; }  // decided ones, in nanoseconds
  Nanos queue_peak() const { return queue_peak_; }
  net::QueueDepth queue() const { return link_.queue(last_arrival_); }
  std::size_t layers() const;  // spikes begun and not ended, as the events have it
  std::uint32_t participant_id() const { return reader_.participant_id(); }

 private:
  using Identity = std::pair<std::uint64_t, std::uint32_t>;  // seed, participant: what chance depends on
  bool knows(const std::string &spike) const;
  void apply_changes();
  void keep_identity();

  PacketReader reader_;
  std::uint64_t seed_ = 0;
  Identity identity_{0, 0};
  net::Link link_{Rng(0).split(std::uint64_t{0})};
  std::vector<std::pair<std::string, net::Impairment>> spikes_;  // the link's layers, to build it anew
  struct Change {
    Instant at;
    std::string id;
    std::optional<net::Impairment> layer;  // none: the end
  };
  std::vector<Change> changes_;  // that no packet has reached yet, as they came
  Instant last_arrival_, latest_out_;
  Decision decision_;

  std::array<Stream, net::kStreamCount> streams_;
  guint64 reordered_ = 0;
  stats::Histogram delays_;
  Nanos queue_peak_{};
};

}  // namespace avc::degrader
