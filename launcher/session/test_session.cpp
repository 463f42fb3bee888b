#include "launcher/session/test_session.hpp"

#include <glib/gstdio.h>

#include <algorithm>
#include <utility>

#include "core/spike/schedule.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/ptr.hpp"
#include "launcher/results/environment.hpp"

namespace avc::session {
namespace {

using participant::TestState;
using ParticipantState = participant::State;

constexpr std::size_t kMostWarnings = 100;
// Media handed on together costs less the more it is. But what is decided while a test runs takes effect so much later,
// and the moments at which counters are read are off by up to that: of many, where it matters, more.
constexpr std::size_t kMany = 500;
constexpr Nanos kAhead = std::chrono::milliseconds(100), kAheadOfMany = std::chrono::milliseconds(500);

constexpr guint kLatencyMs = 100;  // LATENCY messages within this time are answered together

// From the order to play to running time 0, so that everybody is ready by then: a margin, beside the time that the
// same participants took to get to PAUSED.
constexpr Nanos kLead = std::chrono::milliseconds(50);

std::string rfc3339(std::int64_t unix_us) {
  GDateTime *time = g_date_time_new_from_unix_utc(unix_us / 1'000'000);
  char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
  const std::string result = text;
  g_free(text);
  g_date_time_unref(time);
  return result;
}

// Bus messages that nobody here reads are dropped where they are posted: a thousand participants post tens of
// thousands of them on every change of state.
GstBusSyncReply keep_what_is_read(GstBus *, GstMessage *message, gpointer) noexcept {
  constexpr int kRead =
      GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_LATENCY | GST_MESSAGE_ELEMENT | GST_MESSAGE_PROGRESS;
  if ((GST_MESSAGE_TYPE(message) & kRead) != 0) return GST_BUS_PASS;
  gst_message_unref(message);
  return GST_BUS_DROP;
}

// A file's property becomes the key by which the user named the file; other faults have no field.
Error fault_of(GstMessage *message, const MediaFiles &media) {
  GError *raw = nullptr;
  gst_message_parse_error(message, &raw, nullptr);
  const auto error = take(raw);
  const GstStructure *details = nullptr;
  gst_message_parse_error_details(message, &details);
  const char *field = details != nullptr ? gst_structure_get_string(details, "field") : nullptr;
  const char *text = details != nullptr ? gst_structure_get_string(details, "message") : nullptr;
  if (field != nullptr && text != nullptr) {
    const std::string_view property = field;
    if (property == "location") return {media.location.key, text};
    if (property == "audio-location") return {media.audio_location.key, text};
    if (property == "replay-log") return {"replay_log", text};
  }
  return {"", error ? error->message : "unknown error"};
}

}  // namespace

MediaSettings media_settings(const SessionSetup &setup) {
  const scenario::Scenario &scenario = setup.scenario;
  MediaSettings media;
  media.location = setup.media.location.path;
  media.audio_location = setup.media.audio_location.path;
  media.file_fps = scenario.media.fps;
  media.width = scenario.video.width;
  media.height = scenario.video.height;
  media.fps = scenario.video.fps;
  for (const std::uint32_t kbps : setup.renditions)
    media.renditions += (media.renditions.empty() ? "" : ",") + std::to_string(kbps);
  return media;
}

TestSession::TestSession(SessionSetup setup, SessionObserver &observer)
    : setup_(std::move(setup)),
      has_receiver_(setup_.receiver != nullptr),
      observer_(observer),
      book_(setup_.plan.spikes),
      created_us_(g_get_monotonic_time()),
      created_unix_us_(g_get_real_time()) {}

TestSession::~TestSession() {
  waiting_.clear();
  let_go();
}

// Elements, sockets and the receiver's thread: a test that is over may be asked about for hours.
void TestSession::let_go() {
  bus_watch_.reset();
  if (pipeline_ != nullptr) {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(std::exchange(pipeline_, nullptr));
  }
  for (auto &one : participants_) one->let_go();
  setup_.receiver.reset();
}

void TestSession::set_state(TestState state, const std::string &reason) {
  if (!participant::may_follow(state_, state)) return;
  state_ = state;
  reason_ = reason;
  observer_.state_changed(*this);
}

Result<std::unique_ptr<Participant>> TestSession::make_participant(std::size_t index) {
  const scenario::Scenario &scenario = setup_.scenario;
  ParticipantSettings settings;
  settings.id = setup_.participants[index];
  settings.seed = setup_.seed;
  settings.duration = setup_.scenario.duration;
  settings.context = "c" + std::to_string(setup_.contexts[index % setup_.contexts.size()]);
  settings.ahead = setup_.participants.size() < kMany ? kAhead : kAheadOfMany;
  settings.viewers_only = setup_.viewers_only;
  settings.connections = setup_.whip.exchange != nullptr;
  settings.address = setup_.address;
  settings.port = setup_.port;
  if (setup_.receiver != nullptr) settings.rtcp_port = setup_.receiver->rtcp_port();
  settings.media = media_settings(setup_);
  settings.joins = scenario::join_time(scenario, settings.id);
  settings.network = scenario.network;
  settings.decision_log = setup_.decision_log;
  settings.replay_log = setup_.replay_log;
  for (const auto &planned : setup_.plan.spikes) {
    if (spike::addresses(planned.spike, settings.id)) settings.planned.push_back(planned);
  }
  return Participant::make(settings);
}

Result<bool> TestSession::build() {
  pipeline_ = gst_pipeline_new(("test-" + setup_.test_id).c_str());
  gst_object_ref_sink(pipeline_);
  const auto bus = take(gst_element_get_bus(pipeline_));
  gst_bus_set_sync_handler(bus.get(), keep_what_is_read, nullptr, nullptr);
  bus_watch_.set(gst_bus_add_watch(
      bus.get(),
      [](GstBus *, GstMessage *message, gpointer self) -> gboolean {
        static_cast<TestSession *>(self)->handle(message);
        return G_SOURCE_CONTINUE;
      },
      this));
  // An earlier test of this name in this process would have its decisions continued.
  if (!setup_.decision_log.empty()) g_unlink(setup_.decision_log.c_str());
  for (std::size_t i = 0; i < setup_.participants.size(); ++i) {
    auto made = make_participant(i);
    if (!made) return made.error();
    gst_bin_add(GST_BIN(pipeline_), (*made)->bin());
    by_bin_[(*made)->bin()] = by_id_[(*made)->id()] = i;
    participants_.push_back(std::move(*made));
  }
  return true;
}

void TestSession::start(Started done) {
  if (state_ != TestState::created) {
    done(Error{"state", "the test is " + std::string(participant::name(state_)) + " and cannot be started"});
    return;
  }
  if (auto built = build(); !built) {
    finish(results::EndReason::failed_to_start, built.error().text(), TestState::failed);
    done(built.error());
    return;
  }
  waiting_.push_back(std::move(done));
  started_unix_us_ = g_get_real_time();
  results::RunFacts facts;
  facts.test_id = setup_.test_id;
  facts.seed = setup_.seed;
  facts.scenario_json = setup_.scenario.text;
  facts.started_at = rfc3339(*started_unix_us_);
  facts.planned_seconds = to_seconds(setup_.scenario.duration);
  facts.participants = static_cast<std::uint32_t>(participants_.size());
  facts.subscribers = std::size_t{setup_.scenario.subscribers.count} * participants_.size();
  facts.ramp_seconds = to_seconds(setup_.scenario.ramp);
  facts.target = setup_.target_text;
  facts.has_receiver = has_receiver_;
  facts.warnings = setup_.warnings;
  facts.environment = results::environment();
  const auto gstreamer = take(gst_version_string());
  facts.environment.emplace_back("GStreamer", gstreamer.get());
  recorder_.begin(std::move(facts), setup_.plan.spikes, setup_.scenario.thresholds);

  for (auto &one : participants_)
    if (setup_.scenario.ramp == Nanos(0)) one->set_state(ParticipantState::preparing);
  set_state(TestState::running, "");
  const std::int64_t begun_us = g_get_monotonic_time();
  if (gst_element_set_state(pipeline_, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) {
    // The first that cannot be prepared keeps the bin from trying the others. Those at fault have posted errors, which
    // are handled before the next look.
    for (auto &one : participants_) gst_element_set_state(one->bin(), GST_STATE_PAUSED);
  }
  pausing_ = std::chrono::microseconds(g_get_monotonic_time() - begun_us);
  media_timer_.set(g_timeout_add(
      20,
      [](gpointer self) -> gboolean {
        auto *session = static_cast<TestSession *>(self);
        session->look_at_media();
        return session->media_timer_ ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
      },
      this));
  look_at_media();
}

// Everybody waits for the slowest, so the first that is not ready ends the look.
void TestSession::look_at_media() {
  std::size_t ready = 0;
  for (auto &one : participants_) {
    if (participant::is_over(one->state())) continue;
    const auto source = one->source();
    if (source == Participant::Source::preparing) return;
    ready += source == Participant::Source::ready ? 1 : 0;  // of one that failed, the error is on the bus
  }
  if (ready > 0) play();
}

void TestSession::play() {
  // Called from the timer's own callback, or before it ever ran: ended by the flag that the callback looks at.
  if (media_timer_) media_timer_.reset();
  const Nanos lead = kLead + pausing_;
  start_in(lead);
  if (gst_element_set_state(pipeline_, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    fail_start({"", "the pipeline does not start"});
    return;
  }
  playing_ = true;
  machine_ = read_machine(static_cast<double>(g_get_monotonic_time()) / 1e6);
  let_join();
  publish();
  second_timer_.set(g_timeout_add(
      static_cast<guint>(to_ms(lead)),
      [](gpointer self) -> gboolean {
        auto *session = static_cast<TestSession *>(self);
        session->second_timer_.ended();
        session->begin_seconds();
        return G_SOURCE_REMOVE;
      },
      this));
  if (setup_.scenario.duration > Nanos(0)) {
    end_timer_.set(g_timeout_add(
        static_cast<guint>(std::min(to_ms(lead + setup_.scenario.duration), 4e9)),
        [](gpointer self) -> gboolean {
          auto *session = static_cast<TestSession *>(self);
          session->end_timer_.ended();
          session->finish(results::EndReason::completed, "", TestState::stopped);
          return G_SOURCE_REMOVE;
        },
        this));
  }
  observer_.state_changed(*this);
  for (const auto &done : std::exchange(waiting_, {})) done(true);
}

// Participants go to PLAYING one after the other; with the base time ahead of the clock they begin together.
void TestSession::start_in(Nanos lead) {
  const auto clock = take(gst_system_clock_obtain());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_), clock.get());
  gst_element_set_start_time(pipeline_, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline_, gst_clock_get_time(clock.get()) + static_cast<GstClockTime>(lead.count()));
}

// Those whose time has come; the first are taken for there while running time 0 is still ahead.
void TestSession::let_join() {
  constexpr guint kShortestMs = 20;  // of a thousand a second, some together
  const Nanos now = from_seconds(elapsed_seconds());
  while (next_to_join_ < participants_.size()) {
    Participant &one = *participants_[next_to_join_];
    const Nanos wait = scenario::join_time(setup_.scenario, one.id()).value_or(now) - now;
    if (wait > Nanos(0)) {
      join_timer_.set(g_timeout_add(
          std::max(kShortestMs, static_cast<guint>(to_ms(wait)) + 1),
          [](gpointer self) -> gboolean {
            auto *session = static_cast<TestSession *>(self);
            session->join_timer_.ended();
            session->let_join();
            return G_SOURCE_REMOVE;
          },
          this));
      return;
    }
    ++next_to_join_;
    one.set_state(present_state(one.id()));
    joined_ += participant::is_over(one.state()) ? 0 : 1;
    follow_absence(one.id());
    publish(one);
    if (setup_.whip.exchange == nullptr) subscribe(one.id());
  }
}

// From running time 0 on, so that samples lie at whole seconds.
void TestSession::begin_seconds() {
  second_timer_.set(g_timeout_add(
      1000,
      [](gpointer self) -> gboolean {
        static_cast<TestSession *>(self)->begin_sweep();
        return G_SOURCE_CONTINUE;
      },
      this));
}

void TestSession::fail_start(const Error &why) {
  const auto waiting = std::exchange(waiting_, {});
  finish(results::EndReason::failed_to_start, why.text(), TestState::failed);
  for (const auto &done : waiting) done(Error{why.field.empty() ? "media" : why.field, why.message});
}

Result<bool> TestSession::stop(results::EndReason reason, const std::string &detail) {
  if (state_ != TestState::running && state_ != TestState::created) {
    return Error{"state", "the test is " + std::string(participant::name(state_)) + " already"};
  }
  const auto waiting = std::exchange(waiting_, {});
  finish(reason, detail, TestState::stopped);
  for (const auto &done : waiting) done(Error{"state", "the test was stopped while it was being prepared"});
  return true;
}

namespace {

const char *words(results::EndReason reason) {
  switch (reason) {
    case results::EndReason::completed:
      return "its duration is over";
    case results::EndReason::stopped:
      return "stopped over REST";
    case results::EndReason::signal:
      return "the daemon was told to end";
    case results::EndReason::aborted:
      return "a threshold with abort_on_fail did not hold";
    case results::EndReason::failed_to_start:
      return "it could not start";
    case results::EndReason::failed:
      return "an error";
    case results::EndReason::interrupted:
      return "the daemon died";
  }
  return "";
}

}  // namespace

void TestSession::finish(results::EndReason reason, const std::string &detail, TestState state) {
  const std::string why = detail.empty() ? words(reason) : detail;
  const bool ran = state_ == TestState::running;
  for (auto *timer : {&media_timer_, &join_timer_, &second_timer_, &end_timer_, &latency_timer_, &sweep_source_})
    timer->reset();
  if (ran) {
    final_elapsed_ = elapsed_seconds();
    // First of all: where they are far behind they leave no processor, and no lock, to whatever comes next.
    if (playing_)
      for (auto &one : participants_) one->fall_silent();
    set_state(TestState::stopping, why);
    if (playing_) second(final_elapsed_);  // all of it at once, whatever was under way
    for (const SpikeEntry *entry : book_.test_over("the test is over")) announce(*entry, final_elapsed_, newest_);
  }
  playing_ = false;
  last_subscribers_ = subscribers();
  subscribers_.reset();
  if (publications_) publications_->leave_all();
  if (viewers_) viewers_->close_all();
  if (setup_.mounts != nullptr) setup_.mounts->withdraw(setup_.test_id);
  if (pipeline_ != nullptr) {
    bus_watch_.reset();
    gst_element_set_state(pipeline_, GST_STATE_NULL);
  }
  for (auto &one : participants_) one->set_state(ParticipantState::stopped);
  if (ran) {
    // Once more after the last packet has left: totals then match what was received.
    read_now();
    recorder_.finish(reason, detail, Instant{from_seconds(final_elapsed_)});
  }
  let_go();
  ended_us_ = g_get_monotonic_time();
  set_state(state, why);
}

double TestSession::elapsed_seconds() const {
  if (!playing_) return final_elapsed_;
  const GstClockTime now = gst_element_get_current_running_time(pipeline_);
  return GST_CLOCK_TIME_IS_VALID(now) ? static_cast<double>(now) / 1e9 : 0;
}

std::uint32_t TestSession::sending() const {
  return static_cast<std::uint32_t>(std::count_if(participants_.begin(), participants_.end(), [](const auto &one) {
    return one->state() == ParticipantState::running;
  }));
}

Participant *TestSession::owner_of(GstObject *source) {
  for (GstObject *at = source; at != nullptr; at = GST_OBJECT_PARENT(at)) {
    if (const auto found = by_bin_.find(at); found != by_bin_.end()) return participants_[found->second].get();
  }
  return nullptr;
}

void TestSession::handle(GstMessage *message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      handle_error(message);
      break;
    case GST_MESSAGE_ELEMENT:
      handle_spike(message);
      break;
    case GST_MESSAGE_LATENCY:
      if (latency_timer_) break;
      latency_timer_.set(g_timeout_add(
          kLatencyMs,
          [](gpointer self) -> gboolean {
            auto *session = static_cast<TestSession *>(self);
            session->latency_timer_.ended();
            gst_bin_recalculate_latency(GST_BIN(session->pipeline_));
            return G_SOURCE_REMOVE;
          },
          this));
      break;
    case GST_MESSAGE_WARNING:
      handle_warning(message);
      break;
    default:
      break;  // PROGRESS only wakes the main context: look_at_media() asks the sources themselves
  }
}

// A target that refuses is told of by each participant: once is enough.
void TestSession::handle_warning(GstMessage *message) {
  GError *error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  const auto owned = take(error);
  const std::string text = owned ? owned->message : "unknown warning";
  auto &known = setup_.warnings;
  if (known.size() >= kMostWarnings || std::find(known.begin(), known.end(), text) != known.end()) return;
  known.push_back(text);
  recorder_.warn(text);
  g_log("avcd-session", G_LOG_LEVEL_MESSAGE, "%s: %s", setup_.test_id.c_str(), text.c_str());
}

void TestSession::handle_error(GstMessage *message) {
  const Error why = fault_of(message, setup_.media);
  if (Participant *owner = owner_of(GST_MESSAGE_SRC(message))) {
    participant_failed(*owner, why);
    return;
  }
  if (!playing_) {
    fail_start(why);
  } else {
    finish(results::EndReason::failed, why.text(), TestState::failed);
  }
}

void TestSession::participant_failed(Participant &failed, const Error &why) {
  if (participant::is_over(failed.state())) return;  // several elements of it complain
  failed.fail(why.text());
  if (why.text() != std::exchange(last_failure_, why.text())) {  // a file fails for all alike
    g_log("avcd-session", G_LOG_LEVEL_MESSAGE, "%s: participant %u failed: %s", setup_.test_id.c_str(), failed.id(),
          why.text().c_str());
  }
  if (publications_) publications_->leave(failed.id());
  gst_element_set_locked_state(failed.bin(), TRUE);
  gst_element_set_state(failed.bin(), GST_STATE_NULL);
  for (const SpikeEntry *entry : book_.participant_gone(failed.id())) announce(*entry, elapsed_seconds());
  const bool any_left = std::any_of(participants_.begin(), participants_.end(),
                                    [](const auto &one) { return !participant::is_over(one->state()); });
  if (any_left) return;
  if (playing_) {
    finish(results::EndReason::failed, "no participant is left; the last one: " + why.text(), TestState::failed);
  } else {
    fail_start(why);
  }
}

}  // namespace avc::session
