// What one chaosdegrader knows of its participant's network: the link with its base and its spikes, who the packets
// belong to, and what became of them so far. Numbers only; who calls must hold the lock it is in.
//
// Where the link lets packets wait for their fate, the answers come later from settled(), in the order of the packets.
#pragma once

#include <gst/gst.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/link.hpp"
#include "core/net/replay.hpp"
#include "core/net/ring.hpp"
#include "core/stats/histogram.hpp"
#include "elements/degrader/decision_log.hpp"
#include "elements/degrader/packet_reader.hpp"
#include "elements/degrader/sent.hpp"

namespace avc::degrader {

// What to do with one packet.
struct Order {
  enum class Do : std::uint8_t {
    drop,
    send,
    wait,
    bypass,
    absent,  // taken out of its frame before it came here
  } what = Do::absent;
  net::Stream stream = net::Stream::other;
  Instant at;  // send: when
  bool delayed = false;
  std::optional<std::uint32_t> bit{};  // to be changed
  std::optional<net::Copy> copy{};     // to be sent as well
  bool ce = false;                     // to be marked "congestion experienced"

  bool decided() const { return what == Do::drop || what == Do::send; }
  bool goes_on() const { return what != Do::drop && what != Do::absent; }
  // Neither the packet nor its place among its neighbours changes.
  bool plain() const { return what != Do::wait && !bit && !copy && !ce; }
};

class Model {
 public:
  struct Stream {
    guint64 in = 0, bytes_in = 0, lost = 0, frame_dropped = 0;
    guint64 queue_dropped = 0, managed_dropped = 0;  // the latter are among the former
    guint64 duplicated = 0, corrupted = 0;           // copies sent; packets and copies with a bit changed
    guint64 marked = 0;                              // congestion experienced; copies too
    guint64 not_rtp = 0;                             // where a model in force knows RTP only
  };

  // Seed 0: the one that upstream's participant event names. With a recording the link decides nothing: each packet
  // has the fate that it had there, and passes unharmed, counted, where it had none.
  void restart(std::uint64_t seed, std::shared_ptr<const net::Recording> recording = nullptr);
  void set_base(const net::Impairment &base);
  void set_options(const PacketReader::Options &options) { reader_.set_options(options); }
  void set_participant(const ParticipantInfo &info) { reader_.set_participant(info); }
  void set_caps(const GstCaps *caps) { reader_.set_caps(caps); }
  void flush();

  // In force from the first packet at or past the planned time on, so that an event that came early (its sender's timer
  // was quicker than a late source) changes no packet's fate. A layer that leaves the link alone is none. Do not start
  // one that it knows.
  bool knows(const std::string &spike) const;
  void start_spike(const std::string &id, Instant at, const net::Impairment &layer);
  void end_spike(const std::string &id, Instant at);

  // `time`: the packet's place on the running time line, or nothing; `now` is used where nothing is known. The answer
  // is written into a new order, where it is to stay: copying it costs as much as deciding.
  void admit(GstBuffer *buffer, std::optional<Instant> time, Instant now, Order &order) {
    admit(reader_.read(buffer), time, now, order);
  }
  void admit(GstBuffer *buffer, const RtpFrame &frame, guint packet, Instant time, Order &order) {
    admit(reader_.read(buffer, frame, packet), time, time, order);
  }
  // All packets of a frame at once, with what becomes of them written there. Nothing, and nothing is done, where the
  // frame could not say it all; the log is told nothing.
  std::optional<SentOfEach> pass(GstBuffer *buffer, RtpFrame &frame);
  void prefetch() const { delays_.prefetch(); }  // before many packets are admitted at once
  bool waits() const { return !open_.empty(); }  // is some packet's fate open?
  // What becomes of those told to wait, in their order; ask until there is none.
  std::optional<Order> settled();             // after each admit(): what the packets so far decide
  std::optional<Order> settled(Instant now);  // and what the clock decides
  std::optional<Order> settled_at_end();      // of all that wait
  Instant next_settled() const { return link_.next_fate().value_or(Instant::never()); }
  const Decision &decision() const { return decision_; }  // behind the last answer but `wait` and `bypass`

  const Stream &stream(net::Stream kind) const { return streams_[static_cast<std::size_t>(kind)]; }
  Stream total() const;
  guint64 reordered() const { return reordered_; }
  const stats::Histogram &delays() const { return delays_; }  // decided ones, in nanoseconds
  Nanos queue_peak() const { return queue_peak_; }
  std::optional<Nanos> replayed_delay() const;                // the longest; nothing without a recording
  guint64 replay_missing() const { return replay_missing_; }  // packets that the recording does not have
  net::QueueDepth queue() const { return link_.queue(last_arrival_); }
  std::size_t layers() const;  // spikes begun and not ended, as the events have it
  std::uint32_t participant_id() const { return reader_.participant_id(); }

 private:
  using Identity = std::pair<std::uint64_t, std::uint32_t>;  // seed, participant: what chance depends on
  struct Open {                                              // a packet that waits
    Decision decision;
    Instant arrival;
    int fates = 1;                  // still to be told
    std::optional<net::Send> sent;  // what is told already
    std::optional<net::Drop> dropped;
  };

  void admit(const Reading &reading, std::optional<Instant> time, Instant now, Order &order);
  void apply_changes();
  void look_for_rtp_models();
  void keep_identity();
  void begin_decision(const Reading &reading);
  void came_out(Instant at, Nanos delay);
  Stream &counts(net::Stream kind) { return streams_[static_cast<std::size_t>(kind)]; }
  net::Verdict replayed(const Decision &decision);
  // What became of the packet that decision_ is about.
  void dropped(Instant arrival, net::Drop::Why why, Order &order);
  void sent(Instant arrival, const net::Send &send, Order &order);
  template <class Fetch>
  std::optional<Order> settle(Fetch fetch);
  std::optional<Order> tell(const net::Fate &fate);

  PacketReader reader_;
  std::uint64_t seed_ = 0;
  Identity identity_{0, 0};
  net::Link link_{Rng(0).split(std::uint64_t{0})};
  std::unique_ptr<net::Link> former_;  // of another identity, until all that wait in it are settled
  std::optional<net::Replay> replay_;  // decides in the link's stead
  net::Ring<Open> open_;
  std::vector<std::pair<std::string, net::Impairment>> spikes_;  // the link's layers, to build it anew
  struct Change {
    Instant at;
    std::string id;
    std::optional<net::Impairment> layer;  // none: the end
  };
  std::vector<Change> changes_;  // that no packet has reached yet, as they came
  bool rtp_models_ = false;      // base or a layer can judge RTP only
  Instant last_arrival_, latest_out_;
  Decision decision_;

  std::array<Stream, net::kStreamCount> streams_;
  guint64 reordered_ = 0;
  stats::Histogram delays_;
  Nanos queue_peak_{};
  guint64 replay_missing_ = 0;
};

}  // namespace avc::degrader
