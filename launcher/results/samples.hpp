// What a run leaves behind, as plain numbers: the counters it is fed with, one Sample a second, one SpikeRecord per
// spike, and the RunResult that every form of the report is made from. No behaviour, no clocks, no text formats.
//
// Counters count from the test's start and never go back, so that the difference of two snapshots describes the time
// between them. A participant that was never seen by the receiver has received counters that are all zero. Whoever
// takes a snapshot reads the receiver first and the sender after it: then nothing is missing at the receiver that the
// sender does not yet know to be dropped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/spike/spike.hpp"
#include "core/stats/lateness.hpp"
#include "core/stats/stream_stats.hpp"
#include "core/time.hpp"

namespace avc::results {

enum class Media : std::uint8_t { video, audio };
inline constexpr std::size_t kMediaCount = 2;
inline constexpr std::array<Media, kMediaCount> kAllMedia{Media::video, Media::audio};

// One stream of one participant on its way out.
struct SenderCounters {
  std::uint64_t packets = 0;         // made by the source, that is into the link
  std::uint64_t bytes = 0;           // RTP bytes of those packets
  std::uint64_t lost = 0;            // of them, taken by loss in the link, whole frames too
  std::uint64_t queue_dropped = 0;   // of them, refused by a full queue in the link
  std::uint64_t frames = 0;          // frames sent by the source
  std::uint64_t frames_dropped = 0;  // frames the source left out on purpose, without a sequence hole
  std::uint64_t duplicated = 0;      // of the packets, sent twice by the link
  std::uint64_t corrupted = 0;       // of the packets, with a bit changed by the link
};

// One stream of one participant as the receiver sees it.
using ReceiverCounters = stats::StreamStats;

// Delays the link decided on (queue and delay line), over all of a participant's packets.
struct DelayCounters {
  std::uint64_t packets = 0;
  double total_ms = 0;  // sum over those packets: differences give the mean of a window
  double max_ms = 0;    // since the start
};

// What the far side reported of one stream by RTCP: not measured here. Of several viewers the worst; packets and
// reports are summed.
struct ReportedStream {
  std::uint64_t reports = 0;  // 0: nothing was reported, and the rest means nothing
  double loss_percent = 0;    // in the latest report's time, before anything was sent again
  std::int64_t packets_lost = 0;
  double jitter_ms = 0;
  std::optional<double> round_trip_ms;      // none while no report answers one of ours
  std::optional<std::uint64_t> duplicates;  // from extended reports
};

// What was heard from the far side, and what the sender made of it.
struct FarSide {
  std::array<ReportedStream, kMediaCount> streams;          // by Media
  std::uint64_t nacks = 0;                                  // packets asked for again
  std::uint64_t retransmitted = 0, retransmitted_lost = 0;  // sent again into the link, and taken by it
  std::uint64_t repairs_withheld = 0;                       // asked for, and not sent again: there was no room
  std::uint64_t plis = 0, firs = 0, key_unit_jumps = 0;     // asked for a keyframe, and jumped to one
  std::uint64_t rembs = 0, transport_feedbacks = 0, extended_reports = 0;
  std::uint64_t feedback_packets = 0, feedback_lost = 0;  // RTCP on the way back into the link, and taken by it
  std::uint64_t rendition_switches = 0;                   // because of the estimate
  std::optional<double> estimate_kbps;                    // of the path; of several viewers the least
};

enum class ParticipantState : std::uint8_t { created, preparing, running, left, failed, stopped };

struct ParticipantSnapshot {
  std::uint32_t id = 0;
  ParticipantState state = ParticipantState::created;
  std::array<SenderCounters, kMediaCount> sent;  // by Media
  std::vector<ReceiverCounters> received;        // by Media; empty while there is nothing to tell, most often for good
  DelayCounters delay;
  std::uint64_t sent_ahead = 0;                     // packets of either stream that overtook others in the link
  std::uint64_t rtcp_packets = 0, rtcp_lost = 0;    // into the link, and taken by it
  std::uint64_t flood_packets = 0, flood_seen = 0;  // of packet_flood: into the link, and at the receiver
  double queue_ms = 0;                              // in the link's queue at this moment
  double queue_peak_ms = 0;                         // since the start
  double rendition_kbps = 0;                        // of the rendition in use
  std::uint32_t active_spikes = 0;
  bool joined = true;             // its time of the ramp has come
  std::vector<FarSide> far_side;  // one, where anybody could report; most often empty

  // The receiver has had something of this participant.
  bool seen() const {
    return received_of(Media::video).packets_received > 0 || received_of(Media::audio).packets_received > 0;
  }

  const SenderCounters &sent_of(Media media) const { return sent[static_cast<std::size_t>(media)]; }
  const ReceiverCounters &received_of(Media media) const {
    static const ReceiverCounters nothing;
    return received.empty() ? nothing : received[static_cast<std::size_t>(media)];
  }
  SenderCounters &sent_of(Media media) { return sent[static_cast<std::size_t>(media)]; }
  ReceiverCounters &received_of(Media media) {
    received.resize(kMediaCount);
    return received[static_cast<std::size_t>(media)];
  }
};

// A receive-only participant: one connection, and what came over it of another participant's media.
struct SubscriberSnapshot {
  std::uint32_t id = 0, participant = 0;
  std::string source, state, reason;  // the state as the API names it
  bool connected = false;             // now
  bool failed = false;
  std::optional<double> join_ms, first_packet_ms, first_keyframe_ms;  // since it began
  std::array<ReceiverCounters, kMediaCount> received;                 // by Media
  std::int64_t lost_in_network = 0, came_again = 0, repaired = 0;

  bool seen() const { return received[0].packets_received > 0 || received[1].packets_received > 0; }
};

// What this process and its machine did over a stretch of time.
struct MachineUse {
  double seconds = 0;                      // how long the stretch was
  unsigned processors = 1;                 // that share the figures of the machine
  double own_cpu_seconds = 0;              // this process, all threads
  double machine_cpu_seconds = 0;          // everybody on it, this process too
  double steal_seconds = 0;                // the hypervisor gave these to others
  double throttled_seconds = 0;            // a CPU limit of the container was used up
  double waited_seconds = 0;               // the senders' threads were ready and did not run; the longest of them
  double busiest_seconds = 0;              // of processor time that one sending thread had, the most of any
  std::string busiest;                     // its name
  std::uint64_t involuntary_switches = 0;  // threads of this process that were taken off a processor

  MachineUse &operator+=(const MachineUse &next);  // the stretch after this one
};

// Whether the generator itself kept time and got rid of its packets; since the test's start.
struct GeneratorHealth {
  std::uint64_t late_count = 0;  // deadlines served
  double late_avg_ms = 0;
  double late_p50_ms = 0;
  double late_p95_ms = 0;
  double late_p99_ms = 0;
  double late_max_ms = 0;
  std::uint64_t packets_sent = 0;  // handed to the kernel by the sink
  std::uint64_t bytes_sent = 0;
  std::uint64_t send_errors = 0;            // packets the kernel refused
  std::uint64_t receiver_kernel_drops = 0;  // our own receiver's socket buffer overflowed: not the network's loss
  std::map<std::string, std::uint64_t> errors_by_name;  // send_errors by errno's name
  stats::LateCounts late_counts;                        // of the run; the sum over all threads
  double second_late_p99_ms = 0;                        // of the last second alone
  MachineUse use, second_use;                           // of the run, and of the last second
  MachineUse late_use;                                  // of those seconds in which it was too late; most often none
};

// One second of the run, over all participants. Rates and percentages describe the second that ends at t.
struct Sample {
  double t = 0;  // seconds since the start
  std::uint32_t participants = 0;
  std::vector<std::string> spikes_active;

  struct Sent {
    std::uint64_t packets = 0, bytes = 0, frames = 0;  // since the start
    double packets_per_second = 0;
    double kbps = 0;
    double lost_percent = 0;  // dropped by chaos, loss and queue together
    double delay_ms = 0;      // mean the link added
    double jitter_ms = 0;     // the receiver's, if there is one
    double mos_score = 0;
    double queue_ms = 0;  // the longest queue of any participant
  } sent;

  struct Received {
    std::uint64_t packets = 0;  // since the start
    std::int64_t lost = 0;      // since the start; goes down when a packet taken for lost arrives late
    double loss_percent = 0;
    double jitter_ms = 0;
    std::optional<double> mos_score;                // none in a second without audio
    std::optional<double> frames_complete_percent;  // none in a second without video
    std::uint64_t freezes = 0;                      // since the start
    double kbps = 0;
    double fps = 0;  // complete video frames per second and participant
    std::uint32_t participants_seen = 0;
    std::optional<double> delay_ms;  // one way, where the clock is shared; not kept in the history
  };
  std::optional<Received> received;  // none without a receiver

  struct Generator {
    double late_p99_ms = 0;
    std::uint64_t send_errors = 0;
    std::uint64_t receiver_kernel_drops = 0;
    // Of this second alone; not kept in the history.
    double second_late_p99_ms = 0, cpu_percent = 0, steal_percent = 0;  // of all processors
    std::uint64_t involuntary_switches = 0;
  } generator;
};

// A stretch of time as the receiver saw some participants. A member is empty where nothing could be measured.
struct Window {
  double from = 0, to = 0;  // seconds since the start
  std::optional<double> loss_percent;
  std::optional<double> jitter_ms;
  std::optional<double> delay_ms;    // one way, where the clock is shared
  std::optional<double> mos_score;   // audio
  std::optional<double> kbps;        // per participant
  std::optional<double> video_kbps;  // per participant, of its video alone
  std::optional<double> freezes;     // of all of them together
  std::optional<double> fps;         // video frames seen (complete or not) per second and participant
  std::optional<double> frames_complete_percent;
  std::optional<double> audio_payload_bytes;   // mean per audio packet; coded silence has 3 or less
  std::optional<double> delivery_percent;      // received of what the sources made
  std::optional<double> duplicate_percent;     // came again, of those received
  std::optional<double> reordered_percent;     // came after one with a higher number, of those received
  std::optional<double> keyframes_per_minute;  // whole ones, per participant
  std::optional<double> flood_per_second;      // packets of packet_flood, per participant
  bool overlapped = false;                     // another spike acted on some of these participants in this window
};

// The same stretch as the sender decided it.
struct Injected {
  double from = 0, to = 0;
  std::optional<double> loss_percent;        // of packets into the link
  std::optional<double> queue_drop_percent;  // of packets into the link
  std::optional<double> delay_ms;            // mean decided, queue and delay line
  std::optional<double> delay_max_ms;        // of the whole run up to the end of the window
  std::optional<double> queue_peak_ms;
  std::optional<double> frame_drop_percent;  // of frames the source had to send
  std::optional<double> kbps;                // per participant, into the link
  std::optional<double> rendition_kbps;      // mean in use at the end
  std::optional<double> duplicate_percent;   // of packets into the link
  std::optional<double> corrupt_percent;     // of packets into the link
  std::optional<double> sent_ahead_percent;  // of packets into the link: they overtook others
  std::optional<double> rtcp_loss_percent;   // of RTCP packets into the link
  std::optional<double> flood_per_second;    // packets of packet_flood into the link, per participant
};

enum class SpikeState : std::uint8_t { planned, active, ended, cancelled, refused };

struct SpikeRecord {
  spike::Planned plan;
  SpikeState state = SpikeState::planned;
  std::uint32_t participants = 0;              // how many it acts or acted on
  std::string reason;                          // why refused or cancelled
  std::optional<double> started_at, ended_at;  // seconds, as it really happened
  std::optional<Injected> injected;
  std::optional<Window> before, during, after;
  std::vector<double> replaced_ms;  // of each connection it replaced: until the next one was there
  std::string injected_text, measured_text;
};

enum class Severity : std::uint8_t { fail, warn };

// One evaluated threshold expression.
struct ThresholdResult {
  std::string metric;  // with selectors, as written
  std::string expr;
  Severity severity = Severity::fail;
  std::optional<double> value;  // none: there was no sample
  bool ok = false;
  std::string text;  // one line for people
};

enum class Outcome : std::uint8_t { passed, warned, failed, invalid };

struct Verdict {
  Outcome outcome = Outcome::invalid;
  int exit_code = 1;
  std::vector<std::string> reasons;  // plain words, the decisive one first
};

enum class EndReason : std::uint8_t {
  completed,        // its duration was over
  stopped,          // over REST
  signal,           // the daemon was told to end
  aborted,          // a threshold with abort_on_fail did not hold
  failed_to_start,  // pipeline, port, target
  failed,           // an error during the run
  interrupted,      // the daemon died; found in the history afterwards
};

// What is known when a run begins.
struct RunFacts {
  std::string test_id;
  std::uint64_t seed = 0;
  std::string scenario_json;  // as given, but plain JSON: no comments
  std::string started_at;     // RFC 3339
  double planned_seconds = 0;
  std::uint32_t participants = 0;
  double ramp_seconds = 0;      // over which they join; 0: all at once
  std::size_t subscribers = 0;  // receive-only participants that there are to be, beside those
  std::string target;           // for people: "loopback (embedded receiver)" or "udp 10.0.0.1:5000"
  bool has_receiver = false;    // received counters will come
  bool strict = false;          // a failed warning threshold changes the exit code
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, std::string>> environment;  // name, value: machine, versions
};

// Everything, at the end.
struct RunResult {
  RunFacts facts;
  EndReason ended = EndReason::interrupted;
  std::string end_detail;  // the error, or who stopped it
  double duration_seconds = 0;
  Verdict verdict;
  std::vector<Sample> samples;
  std::vector<SpikeRecord> spikes;
  std::vector<ThresholdResult> thresholds;
  std::vector<ParticipantSnapshot> participants;  // at the end
  std::vector<SubscriberSnapshot> subscribers;    // at the end; their counters are not among the participants'
  GeneratorHealth generator;
};

}  // namespace avc::results
