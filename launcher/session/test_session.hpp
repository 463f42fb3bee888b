// One test: one seed, one plan, one GstPipeline whose bins are its participants.
//
//   created -> running -> stopping -> stopped | failed
//
// start() brings the pipeline to PAUSED, where the sources prepare their media without blocking anybody; when all of
// them are ready it goes to PLAYING. That moment is time 0 of the plan, of the samples and of the duration. Until
// then the test is running, its participants are preparing, and no time passes.
//
// With a ramp a participant is created until its time to join has come; its source begins by itself at that running
// time, and so does the state of it here, a moment later.
//
// A participant that fails ends alone; the test fails when none is left. Everything here is on the main context.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/participant/participant.hpp"
#include "core/spike/plan.hpp"
#include "launcher/receiver/embedded.hpp"
#include "launcher/results/recorder.hpp"
#include "launcher/rtsp/mounts.hpp"
#include "launcher/scenario/scenario.hpp"
#include "launcher/session/machine_use.hpp"
#include "launcher/session/media_path.hpp"
#include "launcher/session/participant.hpp"
#include "launcher/session/rates.hpp"
#include "launcher/session/source_id.hpp"
#include "launcher/session/spike_book.hpp"
#include "launcher/webrtc/publications.hpp"
#include "launcher/webrtc/subscribers.hpp"
#include "launcher/webrtc/viewers.hpp"

namespace avc::session {

class TestSession;

// Who follows a test's life. Called after the change, on the main context.
class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  virtual void state_changed(TestSession &session) = 0;
  virtual void spike_changed(TestSession &session, const SpikeEntry &spike, double at_seconds) = 0;
  virtual void sampled(TestSession &session, const results::Sample &sample) = 0;
};

// All that was decided when the test was created.
struct SessionSetup {
  scenario::Scenario scenario;
  std::string test_id;
  std::uint64_t seed = 0;
  spike::Plan plan;
  std::vector<std::uint32_t> participants;  // of this worker
  std::string address;                      // numbers only
  std::uint16_t port = 0;
  std::string target_text;                       // for people
  std::unique_ptr<receiver::Embedded> receiver;  // none: somebody else receives
  MediaFiles media;
  std::vector<std::uint32_t> renditions;              // kbps; empty: the media as it is
  std::string decision_log;                           // file; empty: none
  std::string replay_log;                             // real path of a decision log to repeat; empty: none
  bool viewers_only = false;                          // transports webrtc and whip: address and port are of no use
  webrtc::WhipTarget whip;                            // without an exchange: nobody publishes
  std::shared_ptr<webrtc::HttpExchange> subscribing;  // none: no subscriber asks an endpoint
  webrtc::Admits subscribers_admit;                   // of candidates of the other side
  webrtc::IceSettings ice;                            // of viewers and subscribers, without TURN servers
  webrtc::TurnSettings turn;
  rtsp::Mounts *mounts = nullptr;     // where it can be watched over RTSP; none: nowhere
  std::vector<unsigned> contexts{0};  // numbers of those that serve the participants, in turn
  std::vector<std::string> warnings;
};

MediaSettings media_settings(const SessionSetup &setup);

// What an injection did.
struct Injection {
  std::string spike_id;
  std::uint32_t participants = 0;
  double start_seconds = 0;
  std::optional<double> rendition_kbps;  // of bitrate_reduce
  std::vector<std::string> warnings;
};

class TestSession {
 public:
  TestSession(SessionSetup setup, SessionObserver &observer);
  ~TestSession();
  TestSession(const TestSession &) = delete;
  TestSession &operator=(const TestSession &) = delete;

  // Calls back when the participants send, or why they do not. The error's field is "state" where the test is not one
  // that can be started.
  using Started = std::function<void(Result<bool>)>;
  void start(Started done);
  Result<bool> stop(results::EndReason reason, const std::string &detail);

  // The error's field: "state", "participant_ids" (none of them is in this test), "type" or "params.NAME".
  Result<Injection> inject(spike::Spike spike);
  Result<bool> cancel(const std::string &spike_id);  // fields "spike_id" (unknown), "state" (over)

  // Of a test that runs and a participant that has joined. The error's field: "participant_id" (not in this test) or
  // "state".
  Result<webrtc::Viewers *> viewers_for(std::uint32_t participant);
  const webrtc::Viewers *viewers() const { return viewers_.get(); }  // none: nobody has ever asked

  std::vector<results::SubscriberSnapshot> subscribers() const;

  const std::string &id() const { return setup_.test_id; }
  participant::TestState state() const { return state_; }
  const std::string &reason() const { return reason_; }
  bool preparing() const { return state_ == participant::TestState::running && !playing_; }
  const SessionSetup &setup() const { return setup_; }
  bool has_receiver() const { return has_receiver_; }  // also when the test is over and the receiver gone
  const SpikeBook &spikes() const { return book_; }
  double elapsed_seconds() const;  // of media; stands still before PLAYING and after the end
  std::int64_t created_unix() const { return created_unix_us_ / 1'000'000; }
  std::optional<std::int64_t> started_unix_us() const { return started_unix_us_; }
  std::optional<std::int64_t> ended_monotonic_us() const { return ended_us_; }
  std::int64_t created_monotonic_us() const { return created_us_; }

  const std::vector<std::unique_ptr<Participant>> &participants() const { return participants_; }
  std::uint32_t sending() const;  // participants that run
  // Of every participant; not older than 200 ms while the test runs (of more than a hundred: a second), the last ones
  // after it.
  const std::vector<results::ParticipantSnapshot> &snapshots();
  std::optional<results::ParticipantSnapshot> snapshot_of(std::uint32_t participant) const;  // read now; none: unknown
  std::optional<std::size_t> index_of(std::uint32_t participant) const;  // in participants() and snapshots()
  // What each did in the second of the newest sample, in the same order; empty before the first.
  const std::vector<ParticipantRates> &rates() const { return rates_; }
  const results::Sample *last_sample() const { return last_ ? &*last_ : nullptr; }
  const results::GeneratorHealth &generator() const { return health_; }
  const results::RunResult &result() const { return recorder_.result(); }
  std::uint32_t joined() const { return joined_; }  // since the start, also those that have gone again

 private:
  Result<bool> build();
  Result<std::unique_ptr<Participant>> make_participant(std::size_t index);
  void look_at_media();
  void play();
  void let_join();
  void start_in(Nanos lead);
  void begin_seconds();
  void fail_start(const Error &why);
  void finish(results::EndReason reason, const std::string &detail, participant::TestState state);
  void set_state(participant::TestState state, const std::string &reason);
  void begin_sweep();
  bool sweep_on();
  void second(double t);
  void take_second(double t);
  void read_now();
  results::ParticipantSnapshot read(std::size_t index) const;
  std::vector<results::ParticipantSnapshot> read_all();
  const std::vector<results::ParticipantSnapshot> &read_for(const spike::Spike &spike);
  results::GeneratorHealth read_health(const GeneratorTotals &totals);
  void judge_second();

  void handle(GstMessage *message);
  void handle_error(GstMessage *message);
  void handle_spike(GstMessage *message);
  void follow_absence(std::uint32_t participant);
  webrtc::Viewers &own_viewers();
  void publish(Participant &one);
  void subscribe(std::uint32_t participant);
  std::unique_ptr<webrtc::Signalling> signalling_for(std::uint32_t participant);
  void answer_own(std::uint32_t participant, const std::string &offer, const webrtc::Signalling::Described &done);
  void follow_viewers(std::uint32_t participant);
  void publish();
  participant::State present_state(std::uint32_t participant) const;
  Result<webrtc::PeerSettings> peer_settings(std::uint32_t participant, const std::string &viewer) const;
  void handle_warning(GstMessage *message);
  void participant_failed(Participant &participant, const Error &why);
  Participant *owner_of(GstObject *source);
  void announce(const SpikeEntry &entry, double at_seconds);
  void announce(const SpikeEntry &entry, double at_seconds, const std::vector<results::ParticipantSnapshot> &all);
  void let_go();
  Result<std::optional<double>> rendition_for(const spike::Spike &spike) const;

  SessionSetup setup_;
  const bool has_receiver_;
  SessionObserver &observer_;
  participant::TestState state_ = participant::TestState::created;
  std::string reason_, last_failure_;
  GstElement *pipeline_ = nullptr;
  std::vector<std::unique_ptr<Participant>> participants_;
  std::unique_ptr<webrtc::Viewers> viewers_;                   // none before the first
  std::shared_ptr<webrtc::Publications> publications_;         // none: nobody publishes
  std::unique_ptr<webrtc::Subscribers> subscribers_;           // none: nobody has subscribed
  std::set<std::uint32_t> subscribed_;                         // participants that have their subscribers
  std::vector<results::SubscriberSnapshot> last_subscribers_;  // when the test was over
  std::unordered_map<void *, std::size_t> by_bin_;             // places in participants_
  std::unordered_map<std::uint32_t, std::size_t> by_id_;
  std::vector<Started> waiting_;
  Nanos pausing_{};  // what getting all of them to PAUSED took
  bool playing_ = false;
  double final_elapsed_ = 0;
  SpikeBook book_;
  results::Recorder recorder_;
  std::vector<results::ParticipantSnapshot> newest_, before_, fresh_;
  std::vector<results::ParticipantSnapshot> told_;  // read for the spike that was told of last
  std::vector<ParticipantRates> rates_;
  std::int64_t fresh_at_us_ = 0, told_at_us_ = 0;
  bool told_all_ = false;
  struct Sweep {
    double at = 0;  // seconds of the test
    std::vector<results::ParticipantSnapshot> read;
    GeneratorTotals totals;
  } sweep_;  // under way while sweep_source_ is set
  std::optional<results::Sample> last_;
  results::GeneratorHealth health_;
  stats::LateCounts late_now_, late_before_;  // of the contexts: as read last, and when the last second ended
  MachineReading machine_;                    // when the last second ended
  std::set<std::string> stuck_;               // contexts that have been warned about
  std::uint32_t joined_ = 0;
  std::size_t next_to_join_ = 0;  // in participants_, which join in this order
  SourceId bus_watch_, media_timer_, join_timer_, second_timer_, end_timer_, latency_timer_, sweep_source_;
  std::int64_t created_us_, created_unix_us_;
  std::optional<std::int64_t> started_unix_us_, ended_us_;
};

}  // namespace avc::session
