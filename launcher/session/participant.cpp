#include "launcher/session/participant.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "elements/support/counters.hpp"
#include "elements/support/ptr.hpp"
#include "launcher/results/json.hpp"
#include "launcher/session/participant_bin.hpp"
#include "launcher/session/setter.hpp"

namespace avc::session {
namespace {

// The `stats` of an element; fields that are not there read as zero.
class Stats {
 public:
  explicit Stats(GstElement *element) {
    GstStructure *structure = nullptr;
    g_object_get(element, "stats", &structure, nullptr);
    stats_ = take(structure);
  }

  std::uint64_t count(const char *field) const { return static_cast<std::uint64_t>(number(field)); }
  double number(const char *field) const {
    const GValue *value = stats_ ? gst_structure_get_value(stats_.get(), field) : nullptr;
    if (value == nullptr) return 0;
    GValue number = G_VALUE_INIT;
    g_value_init(&number, G_TYPE_DOUBLE);
    return g_value_transform(value, &number) != FALSE ? g_value_get_double(&number) : 0;
  }
  std::string text(const char *field) const {
    const char *value = stats_ ? gst_structure_get_string(stats_.get(), field) : nullptr;
    return value != nullptr ? value : "";
  }
  // A structure of counts by name, added to `counts`.
  void add_counts(const char *field, std::map<std::string, std::uint64_t> &counts) const {
    const GValue *held = value(field);
    if (held == nullptr || !GST_VALUE_HOLDS_STRUCTURE(held)) return;
    const GstStructure *inner = gst_value_get_structure(held);
    for (gint i = 0; i < gst_structure_n_fields(inner); ++i) {
      const char *name = gst_structure_nth_field_name(inner, static_cast<guint>(i));
      guint64 count = 0;
      if (gst_structure_get_uint64(inner, name, &count) != FALSE) counts[name] += count;
    }
  }
  stats::LateCounts late_counts(const char *field) const {
    stats::LateCounts counts;
    const GValue *list = value(field);
    if (list == nullptr || !GST_VALUE_HOLDS_ARRAY(list)) return counts;
    const auto size = std::min<std::size_t>(gst_value_array_get_size(list), counts.in_class.size());
    for (std::size_t i = 0; i < size; ++i)
      counts.in_class[i] = g_value_get_uint64(gst_value_array_get_value(list, static_cast<guint>(i)));
    return counts;
  }
  const GValue *value(const char *field) const {
    return stats_ ? gst_structure_get_value(stats_.get(), field) : nullptr;
  }

 private:
  Ptr<GstStructure> stats_;
};

// What the far side's RTCP says of the streams; of streams under other SSRCs (ssrc_change) nothing.
std::optional<results::FarSide> far_side_of(const SinkCounters &sink, std::uint32_t id) {
  constexpr double kPerMs[results::kMediaCount] = {90, 48};  // by Media
  std::optional<results::FarSide> far;
  for (const auto &remote : sink.remotes) {
    const std::size_t media = remote.ssrc - id * 1000;
    if (remote.ssrc == 0 || media >= results::kMediaCount) continue;
    if (!far) far.emplace();
    results::ReportedStream &stream = far->streams[media];
    stream.reports = remote.reports;
    stream.loss_percent = remote.fraction_lost * 100;
    stream.packets_lost = remote.packets_lost;
    stream.jitter_ms = remote.jitter / kPerMs[media];
    if (remote.round_trip_ms > 0) stream.round_trip_ms = remote.round_trip_ms;
    if (remote.extended_reports > 0) stream.duplicates = remote.duplicates;
    far->nacks += remote.nacks;
    far->plis += remote.key_unit_requests;
    far->extended_reports += remote.extended_reports;
  }
  return far;
}

Result<bool> configure_link(GstElement *degrader, const ParticipantSettings &settings) {
  Setter set(degrader);
  set_base(set, settings.network);
  set("seed", settings.seed)("context", settings.context);
  if (!settings.decision_log.empty()) set("decision-log", settings.decision_log);
  if (!settings.replay_log.empty()) set("replay-log", settings.replay_log);
  return set.outcome();
}

}  // namespace

Result<std::unique_ptr<Participant>> Participant::make(const ParticipantSettings &settings) {
  std::unique_ptr<Participant> made(new Participant(settings.id, settings.context));
  if (auto built = made->build(settings); !built) return built.error();
  return made;
}

Participant::~Participant() { let_go(); }

void Participant::let_go() {
  if (bin_ == nullptr) return;
  gst_element_set_state(bin_, GST_STATE_NULL);
  gst_object_unref(std::exchange(bin_, nullptr));
  source_ = scheduler_ = degrader_ = sink_ = nullptr;
}

Result<GstElement *> Participant::add(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr) return Error{factory, "this element cannot be made; is the avchaos plugin complete"};
  gst_bin_add(GST_BIN(bin_), element);
  return element;
}

Result<bool> Participant::build(const ParticipantSettings &settings) {
  bin_ = new_participant_bin(("participant-" + std::to_string(id_)).c_str());
  gst_object_ref_sink(bin_);
  GstElement *tagger = nullptr;
  for (const auto &[factory, slot] :
       {std::pair{"avchaossrc", &source_}, {"participanttagger", &tagger}, {"spikescheduler", &scheduler_}}) {
    auto made = add(factory);
    if (!made) return made.error();
    *slot = *made;
  }
  Setter source(source_);
  source("participant-id", std::uint64_t{id_})("seed", settings.seed);
  source("context", settings.context)("ahead-ms", to_ms(settings.ahead));
  source("duration-ms", static_cast<std::uint64_t>(to_ms(settings.duration)));
  set_media(source, settings.media);
  if (settings.joins) source("start-at-ms", to_ms(*settings.joins));
  Setter scheduler(scheduler_);
  scheduler("schedule", schedule_json(settings.planned))("context", settings.context);
  scheduler("connections", settings.connections);
  Setter tag(tagger);
  tag("participant-id", std::uint64_t{id_});
  for (const auto &outcome : {source.outcome(), tag.outcome(), scheduler.outcome()}) {
    if (!outcome) return outcome.error();
  }
  if (gst_element_link_pads(source_, settings.viewers_only ? "audio_0" : "rtp", tagger, "sink") == FALSE ||
      gst_element_link(tagger, scheduler_) == FALSE) {
    return Error{"pipeline", "the elements of participant " + std::to_string(id_) + " cannot be linked"};
  }
  if (auto linked = build_link(settings); !linked) return linked;
  return check_counters();
}

// The network, and what is behind it.
Result<bool> Participant::build_link(const ParticipantSettings &settings) {
  const Error unlinked{"pipeline", "the elements of participant " + std::to_string(id_) + " cannot be linked"};
  if (settings.viewers_only) {
    auto sink = add("fakesink");
    if (!sink) return sink.error();
    g_object_set(*sink, "sync", FALSE, "async", FALSE, nullptr);
    return gst_element_link(scheduler_, *sink) != FALSE ? Result<bool>(true) : Result<bool>(unlinked);
  }
  for (const auto &[factory, slot] : {std::pair{"chaosdegrader", &degrader_}, {"avchaosudpsink", &sink_}}) {
    auto made = add(factory);
    if (!made) return made.error();
    *slot = *made;
  }
  Setter sink(sink_);
  sink("host", settings.address)("port", std::uint64_t{settings.port})("context", settings.context);
  sink("rtcp-port", std::uint64_t{settings.rtcp_port});
  for (const auto &outcome : {configure_link(degrader_, settings), sink.outcome()}) {
    if (!outcome) return outcome.error();
  }
  return gst_element_link_many(scheduler_, degrader_, sink_, nullptr) != FALSE ? Result<bool>(true)
                                                                               : Result<bool>(unlinked);
}

Result<bool> Participant::check_counters() const {
  const bool link =
      degrader_ == nullptr || (find_counters<LinkCounters>(degrader_) && find_counters<SinkCounters>(sink_));
  if (link && find_counters<SourceCounters>(source_) && find_counters<SchedulerCounters>(scheduler_)) return true;
  return Error{"avchaos", "the plugin and this program are of different versions"};
}

void Participant::set_state(participant::State state) {
  if (participant::may_follow(state_, state)) state_ = state;
}

void Participant::fail(std::string reason) {
  if (participant::is_over(state_)) return;
  set_state(participant::State::failed);
  reason_ = std::move(reason);
}

void Participant::explain(std::string reason) {
  if (!participant::is_over(state_)) reason_ = std::move(reason);
}

Participant::Source Participant::source() const {
  using State = SourceCounters::State;
  const State state = counters_of<SourceCounters>(source_).state;
  if (state == State::failed) return Source::failed;
  return state == State::running || state == State::left ? Source::ready : Source::preparing;
}

void Participant::fall_silent() {
  if (source_ != nullptr && !participant::is_over(state_)) gst_element_set_state(source_, GST_STATE_PAUSED);
}

bool Participant::inject(const spike::Planned &planned) { return inject_into(scheduler_, planned); }

bool Participant::cancel(const std::string &spike_id) { return cancel_in(scheduler_, spike_id); }

void Participant::read(results::ParticipantSnapshot &snapshot) const {
  snapshot.id = id_;
  if (degrader_ != nullptr) read_link(source_, degrader_, snapshot);
  if (sink_ != nullptr) {
    if (auto far = far_side_of(counters_of<SinkCounters>(sink_), id_)) {
      far->key_unit_jumps = counters_of<SourceCounters>(source_).key_unit_jumps;
      snapshot.far_side.assign(1, *far);
    }
  }
  snapshot.active_spikes = static_cast<std::uint32_t>(counters_of<SchedulerCounters>(scheduler_).active);
}

// What a context was late with is the same whoever of it is asked.
void Participant::add_to(GeneratorTotals &totals) const {
  if (sink_ != nullptr) {
    const auto sink = counters_of<SinkCounters>(sink_);
    totals.packets += sink.packets_sent;
    totals.bytes += sink.bytes_sent;
    totals.errors += sink.errors;
    if (sink.errors > 0) Stats(sink_).add_counts("errors-by-errno", totals.errors_by_name);
  }
  if (totals.contexts.contains(context_)) return;
  const Stats source(source_);
  if (source.text("context").empty()) return;  // it is not on it yet
  const auto ms = [&](const char *field) { return source.number(field) / 1e3; };
  totals.contexts[context_] = {source.count("late-count"),
                               ms("late-avg-us"),
                               ms("late-p50-us"),
                               ms("late-p95-us"),
                               ms("late-p99-us"),
                               ms("late-max-us"),
                               source.late_counts("late-counts")};
  if (source.count("stuck-ms") > 0) totals.stuck[context_] = source.text("stuck-in");
}

std::vector<double> Participant::renditions_kbps() const {
  const Stats source(source_);
  const GValue *list = source.value("rendition-kbps");
  std::vector<double> kbps;
  if (list == nullptr || !(GST_VALUE_HOLDS_LIST(list) || GST_VALUE_HOLDS_ARRAY(list))) return kbps;
  const bool array = GST_VALUE_HOLDS_ARRAY(list);
  const guint size = array ? gst_value_array_get_size(list) : gst_value_list_get_size(list);
  for (guint i = 0; i < size; ++i) {
    const GValue *item = array ? gst_value_array_get_value(list, i) : gst_value_list_get_value(list, i);
    GValue number = G_VALUE_INIT;
    g_value_init(&number, G_TYPE_DOUBLE);
    if (g_value_transform(item, &number) != FALSE) kbps.push_back(g_value_get_double(&number));
  }
  return kbps;
}

}  // namespace avc::session
