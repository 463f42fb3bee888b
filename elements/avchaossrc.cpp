/**
 * SECTION:element-avchaossrc
 * @title: avchaossrc
 *
 * The media of one simulated participant: H.264 and Opus, from a file or generated, prepared once for all
 * participants of the process and sent at the media's own times.
 *
 * ## Media
 *
 * #avchaossrc:location is any file that GStreamer can demux. H.264 without B-frames and Opus in 20 ms packets are
 * sent as they are; anything else is transcoded once, in the background, and kept on disk (AVCHAOS_CACHE_DIR, or
 * gst-avchaos in the user's cache directory) under the hash of its content. A file without sound gets a tone, one
 * without picture a picture. Without a location both are generated. GST_MESSAGE_PROGRESS tells of a preparation;
 * state changes do not wait for it, the pads start when it is done.
 *
 * #avchaossrc:audio-location takes the sound from another file: the picture is then that of the location, or a
 * generated one. A bare H.264 file has no times: its pictures come at #avchaossrc:file-fps, else at the rate in its
 * headers, else at #avchaossrc:fps.
 *
 * The video decides the length of a loop; sound is cut, or filled with silence, to it; that of a file of its own
 * begins again. Timestamps go on over the seam, and audio stays within 10 ms of its picture over any number of loops.
 *
 * ## Pads
 *
 * `video_%u` and `audio_%u` offer RTP that was payloaded once for everybody (payload at most 1152 bytes), or coded
 * frames where a payloader follows. `rtp` carries both media as one stream of RTP: one list of packets per frame,
 * audio and video never in one list. `video` and `audio` are other names for `video_0` and `audio_0`. A pad without
 * a consumer, or whose consumer wants no more, is skipped.
 *
 * ## Chaos at the source
 *
 * #avchaossrc:max-bitrate-kbps picks the highest rendition not above it (the smallest if none is) at the next
 * keyframe; #avchaossrc:frame-drop-percent leaves out that share of the video frames, evenly and without a hole in
 * the sequence numbers, keyframes last; #avchaossrc:audio-silence sends silence. Spikes of these kinds arrive as
 * events from downstream and combine with the properties and with each other; they name their times and act from the
 * first frame at or after those. While a participant is away (spike `participant_leave`) nothing is sent but a gap
 * event for each frame; sequence numbers go on as if it were, and its picture comes back with a keyframe. A
 * force-key-unit event makes audio and video jump to the next keyframe together, at most once in 500 ms.
 *
 * ## Statistics
 *
 * `stats`: participant-id, state (idle, preparing, running, left, failed), frames-sent, frames-dropped,
 * frames-withheld (while away, audio and video),
 * audio-frames-sent, packets-sent, bytes-sent (RTP, with 12 bytes of header), video-numbers and audio-numbers (RTP
 * sequence numbers used, modulo 65536), bitrate-kbps (of the rendition in use),
 * rendition-kbps, rendition-rtp-kbps (of each with sound, counted like bytes-sent), media-packets-per-second and
 * media-payload-kbps (of the best rendition with sound, no headers),
 * loops, key-unit-jumps, context, late-count, late-avg-us, late-p50-us, late-p95-us,
 * late-p99-us, late-max-us, late-counts (deadlines missed by at most 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 50, 100, 200,
 * 500, 1000 ms, and by more; each counted once), stuck-ms and stuck-in (set while the context hangs in one element for
 * a second or more).
 *
 * ## Threads
 *
 * Frames are pushed by the thread of the #avchaossrc:context, which must not be blocked when it is shared: put a
 * queue before any sink that waits.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 avchaossrc name=s s.rtp ! udpsink host=127.0.0.1 port=5002
 * ]| Audio and video of participant 1001 at port 5002.
 * |[
 * gst-launch-1.0 avchaossrc ! rtph264pay ! udpsink host=127.0.0.1 port=5002
 * ]| The same video through a payloader of one's own.
 * |[
 * gst-launch-1.0 avchaossrc ! h264parse ! avdec_h264 ! videoconvert ! autovideosink
 * ]| Watch it.
 *
 * Since: 0.1
 */
#include "elements/avchaossrc.hpp"

#include <gst/video/video.h>

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "core/runtime/guarded.hpp"
#include "core/spike/effect.hpp"
#include "elements/media/cache.hpp"
#include "elements/source/player.hpp"
#include "elements/source/settings.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/counters.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/properties.hpp"
#include "elements/support/wrapper.hpp"

GST_DEBUG_CATEGORY(avchaossrc_debug);
#define GST_CAT_DEFAULT avchaossrc_debug

using namespace avc;
using source::Settings;

namespace {

const Property<Settings> kProperties[] = {
    {"location", "Media file; none: a generated picture and tone", &Settings::location, 0, 0, kReady},
    {"audio-location", "File with the sound, when it is not the one with the picture", &Settings::audio_location, 0, 0,
     kReady},
    {"participant-id", "The participant: SSRCs are id*1000 and id*1000+1", &Settings::participant_id, 0, 0, kReady},
    {"seed", "Of all chance: initial sequence numbers and timestamps", &Settings::seed, 0, 0, kReady},
    {"loop", "Begin again at the end", &Settings::loop, 0, 0, kReady},
    {"start-offset-ms", "Where in the clip to start, in ms (-1: spread by participant)", &Settings::start_offset_ms, -1,
     G_MAXINT, kReady},
    {"start-at-ms", "Running time of the first frame, in ms (-1: at once, spread over up to a second by participant)",
     &Settings::start_at_ms, -1, G_MAXINT, kReady},
    {"duration-ms", "Running time at which the stream ends, in ms (0: never)", &Settings::duration_ms, 0, 1e12, kReady},
    {"ahead-ms",
     "Hand on so much media at once, before its time, where all that follows is of this plugin and the sink keeps the "
     "times, in ms (0: each frame when it is due)",
     &Settings::ahead_ms, 0, 1000, kReady},
    {"width", "Width of the generated picture, in pixels", &Settings::width, 16, 4096, kReady},
    {"height", "Height of the generated picture, in pixels", &Settings::height, 16, 4096, kReady},
    {"fps", "Frames per second of the generated picture, and of a bare H.264 file whose headers do not say",
     &Settings::fps, 1, 60, kReady},
    {"file-fps", "Frames per second of a bare H.264 file (0: as its headers say, else fps)", &Settings::file_fps, 0,
     240, kReady},
    {"bitrate-kbps", "Bit rate of encoded video when there are no renditions, in kbit/s (0: by size and frame rate)",
     &Settings::bitrate_kbps, 0, 100000, kReady},
    {"renditions", "Bit rates to prepare, in kbps, such as \"2500,1200,600,300\"; none: one", &Settings::renditions, 0,
     0, kReady},
    {"encoder", "openh264enc, or x264enc where it is installed", &Settings::encoder, 0, 0, kReady},
    {"cache-dir", "Where prepared media is kept (none: AVCHAOS_CACHE_DIR, or the user's cache directory)",
     &Settings::cache_dir, 0, 0, kReady},
    {"context", "Elements with the same context share its thread (none: a private one)", &Settings::context, 0, 0,
     kReady},
    {"max-bitrate-kbps", "Send the highest rendition not above this, in kbit/s (0: the best)",
     &Settings::max_bitrate_kbps, 0, 1000000, kControlled},
    {"frame-drop-percent", "Share of the video frames to leave out, in percent", &Settings::frame_drop_percent, 0, 100,
     kControlled},
    {"audio-silence", "Send silence", &Settings::audio_silence, 0, 0, kControlled},
    {"gate-open", "Send media; closed, only events go, and frames are skipped", &Settings::gate_open, 0, 0, kPlaying},
};
constexpr guint kCountersId = kStatsIdAfter<kProperties> + 1;

#define RTP_VIDEO \
  "application/x-rtp, media=(string)video, clock-rate=(int)90000, encoding-name=(string)H264, payload=(int)96"
#define RTP_AUDIO \
  "application/x-rtp, media=(string)audio, clock-rate=(int)48000, encoding-name=(string)OPUS, payload=(int)111"
#define CODED_VIDEO "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au"
#define CODED_AUDIO "audio/x-opus, channel-mapping-family=(int)0"

// The order decides which pad a link without a name gets: video for anything that takes it, RTP before frames.
GstStaticPadTemplate templates[] = {
    GST_STATIC_PAD_TEMPLATE("video_%u", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(RTP_VIDEO "; " CODED_VIDEO)),
    GST_STATIC_PAD_TEMPLATE("audio_%u", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(RTP_AUDIO "; " CODED_AUDIO)),
    GST_STATIC_PAD_TEMPLATE("rtp", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS("application/x-rtp")),
    GST_STATIC_PAD_TEMPLATE("video", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(RTP_VIDEO "; " CODED_VIDEO)),
    GST_STATIC_PAD_TEMPLATE("audio", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(RTP_AUDIO "; " CODED_AUDIO)),
};

class Impl {
 public:
  explicit Impl(GstElement *element) : element_(element), player_(element, settings) {}

  mutable Guarded<Settings> settings;

  bool open();   // READY -> PAUSED
  void close();  // PAUSED -> READY
  void play();
  void pause() { player_.pause(); }

  GstPad *request_pad(const std::string &family, const char *asked);
  void release_pad(GstPad *pad);
  gboolean upstream_event(GstPad *pad, GstEvent *event);
  gboolean send_event(Ptr<GstEvent> event);
  void media_progress(double percent);
  void media_done();
  [[nodiscard]] Ptr<GstStructure> stats() const;
  SourceCounters counters() const;

 private:
  struct Watcher;
  // What happens to the media; from READY -> PAUSED on.
  struct Preparation {
    std::shared_ptr<media::CacheEntry> entry;
    std::shared_ptr<Watcher> watcher;
    bool announced = false;  // its beginning, so its end is to be told too
  };

  SourceCounters::State state(bool has_media) const;
  void tell(GstProgressType type, const std::string &text);
  media::Request request(const Settings &set, std::vector<double> renditions) const;

  GstElement *element_;
  source::Player player_;
  mutable Guarded<Preparation> preparation_;
  std::shared_ptr<runtime::Context> context_;  // changed by state changes; its lock is for stats()
  Ptr<GstClock> context_clock_;
  mutable std::mutex context_mutex_;
  std::atomic<bool> failed_{false};
  guint next_pad_[2] = {0, 0};  // under the element's lock
};

}  // namespace

struct _AvcChaosSrc {
  GstElement parent;
  Impl *impl;
};
G_DEFINE_FINAL_TYPE(AvcChaosSrc, avc_chaos_src, GST_TYPE_ELEMENT)

namespace {

Impl &impl_of(gpointer object) { return *AVC_CHAOS_SRC(object)->impl; }

// Called on the preparing thread, perhaps when the element is gone.
struct Impl::Watcher final : media::CacheEntry::Listener {
  explicit Watcher(GstElement *element) { g_weak_ref_init(&element_, element); }
  ~Watcher() override { g_weak_ref_clear(&element_); }

  void media_progress(double percent) override {
    if (const auto element = held()) impl_of(element.get()).media_progress(percent);
  }
  void media_done() override {
    if (const auto element = held()) impl_of(element.get()).media_done();
  }

 private:
  Ptr<GstElement> held() { return take(static_cast<GstElement *>(g_weak_ref_get(&element_))); }

  GWeakRef element_;
};

media::Request Impl::request(const Settings &set, std::vector<double> renditions) const {
  return {set.location,     set.audio_location,    set.width,   set.height,   set.fps, set.file_fps,
          set.bitrate_kbps, std::move(renditions), set.encoder, set.cache_dir};
}

std::string names_of(const media::Request &request) {
  std::string names;
  for (const media::Source &source : media::sources_of(request)) names += (names.empty() ? "" : " and ") + source.path;
  return names.empty() ? "generated media" : names;
}

bool Impl::open() {
  const Settings set = *settings.lock();
  failed_ = false;
  auto renditions = media::parse_renditions(set.renditions);
  if (renditions && set.encoder != "openh264enc" && set.encoder != "x264enc")
    renditions = Error{"encoder", "\"" + set.encoder + "\" is neither openh264enc nor x264enc"};
  if (!renditions) {
    post_error(element_, Fault::settings, renditions.error());
    return false;
  }
  const media::Request wanted = request(set, std::move(*renditions));
  // A start that fails says more than an error after it, which gst-launch-1.0 loses if it comes before its main loop.
  if (const auto fault = media::file_fault(wanted)) {
    failed_ = true;
    post_error(element_, Fault::open_read, *fault);
    return false;
  }
  player_.open();
  auto entry = media::acquire(wanted);
  auto watcher = std::make_shared<Watcher>(element_);
  const bool waits = !entry->clip() && !entry->error();
  {
    auto preparation = preparation_.lock();
    preparation->entry = entry;
    preparation->watcher = watcher;
    preparation->announced = waits;
  }
  if (waits) tell(GST_PROGRESS_TYPE_START, "Preparing " + names_of(wanted));
  if (!waits || !entry->subscribe(watcher)) media_done();
  return true;
}

void Impl::close() {
  player_.stop();
  Preparation left;  // let go of without the lock: it may wait for the preparing thread
  std::swap(*preparation_.lock(), left);
  if (left.entry) left.entry->unsubscribe(left.watcher.get());
  std::shared_ptr<runtime::Context> context;  // without the lock, too: its thread may end with it
  const std::lock_guard hold(context_mutex_);
  context.swap(context_);
  context_clock_.reset();
}

void Impl::play() {
  auto clock = take(gst_element_get_clock(element_));
  std::shared_ptr<runtime::Context> context = context_, before;
  if (!context || clock != context_clock_) {
    const std::string name = settings.lock()->context;
    context = context_for(element_, name);
    const std::lock_guard hold(context_mutex_);
    before = std::exchange(context_, context);
    context_clock_ = std::move(clock);
  }
  player_.play(context, to_instant(gst_element_get_base_time(element_)));
}

void Impl::tell(GstProgressType type, const std::string &text) {
  gst_element_post_message(element_,
                           gst_message_new_progress(GST_OBJECT(element_), type, "prepare-media", text.c_str()));
}

void Impl::media_progress(double percent) {
  tell(GST_PROGRESS_TYPE_CONTINUE, std::to_string(static_cast<int>(percent)) + " %");
}

void Impl::media_done() {
  std::shared_ptr<media::CacheEntry> entry;
  bool announced = false;
  {
    auto preparation = preparation_.lock();
    entry = preparation->entry;
    announced = preparation->announced;
  }
  if (!entry) return;  // closed meanwhile
  if (auto clip = entry->clip()) {
    player_.set_clip(std::move(clip));
    if (announced) tell(GST_PROGRESS_TYPE_COMPLETE, "Media is ready");
  } else if (const auto error = entry->error()) {
    failed_ = true;
    if (announced) tell(GST_PROGRESS_TYPE_ERROR, error->text());
    post_error(element_, Fault::open_read, *error);
  }
}

GstPad *Impl::request_pad(const std::string &family, const char *asked) {
  const bool both = family == "rtp", video = family.rfind("video", 0) == 0;
  const bool numbered = family.find('_') != std::string::npos;
  std::string name = both ? "rtp" : video ? "video_0" : "audio_0";
  if (numbered) {
    GST_OBJECT_LOCK(element_);
    name = asked != nullptr ? asked : family.substr(0, 6) + std::to_string(next_pad_[video]);
    const auto number = static_cast<guint>(g_ascii_strtoull(name.c_str() + 6, nullptr, 10));
    next_pad_[video] = std::max(next_pad_[video], number + 1);
    GST_OBJECT_UNLOCK(element_);
  }
  if (take(gst_element_get_static_pad(element_, name.c_str()))) return nullptr;
  const auto *pad_template = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element_), both    ? "rtp"
                                                                                                 : video ? "video_%u"
                                                                                                         : "audio_%u");
  GstPad *pad = gst_pad_new_from_template(const_cast<GstPadTemplate *>(pad_template), name.c_str());
  gst_pad_set_event_function(pad, [](GstPad *self, GstObject *parent, GstEvent *event) noexcept {
    const gboolean handled = impl_of(parent).upstream_event(self, event);
    gst_event_unref(event);
    return handled;
  });
  gst_pad_set_query_function(pad, [](GstPad *self, GstObject *parent, GstQuery *query) noexcept -> gboolean {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return gst_pad_query_default(self, parent, query);
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  });
  player_.add(std::make_shared<source::Output>(element_, pad,
                                               both    ? source::Kind::both
                                               : video ? source::Kind::video
                                                       : source::Kind::audio));
  if (GST_STATE(element_) > GST_STATE_READY || GST_STATE_NEXT(element_) > GST_STATE_READY)
    gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element_, pad);
  return pad;
}

void Impl::release_pad(GstPad *pad) {
  const auto kept = take(GST_PAD(gst_object_ref(pad)));
  const auto output = player_.remove(pad);
  gst_pad_set_active(pad, FALSE);  // waits for a push under way
  gst_element_remove_pad(element_, pad);
}

gboolean Impl::upstream_event(GstPad *pad, GstEvent *event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CUSTOM_UPSTREAM:
      break;
    case GST_EVENT_SEEK:
      return FALSE;
    default:
      return TRUE;  // RECONFIGURE is a flag of the pad already; QOS, LATENCY and the like change nothing here
  }
  if (gst_video_event_is_force_key_unit(event)) {
    guint ssrc = 0;
    const bool named = gst_structure_get_uint(gst_event_get_structure(event), "ssrc", &ssrc);
    player_.request_key_unit(named ? std::optional(ssrc) : std::nullopt);
    return TRUE;
  }
  if (const auto end = parse_spike_end(event)) {
    player_.change({to_instant(end->at), end->id});
    return TRUE;
  }
  const auto start = parse_spike_start(event);
  if (!start) return FALSE;
  const auto effect = spike::effect_of(start->type, start->params);
  if (!effect) {
    GST_WARNING_OBJECT(pad, "spike %s: %s", start->id.c_str(), effect.error().text().c_str());
    return FALSE;
  }
  if (!(effect->source == spike::SourceEffect{}))
    player_.change({to_instant(start->start), start->id, effect->source, to_instant(start->end)});
  return TRUE;
}

gboolean Impl::send_event(Ptr<GstEvent> event) {
  if ((gst_event_type_get_flags(GST_EVENT_TYPE(event.get())) & GST_EVENT_TYPE_DOWNSTREAM) == 0) return FALSE;
  player_.send(std::move(event));
  return TRUE;
}

constexpr std::array kStateNames = {"idle", "preparing", "running", "left", "failed"};  // by SourceCounters::State

GValue array_of(const std::vector<double> &numbers) {
  GValue all = G_VALUE_INIT, one = G_VALUE_INIT;
  gst_value_array_init(&all, static_cast<guint>(numbers.size()));
  g_value_init(&one, G_TYPE_DOUBLE);
  for (const double number : numbers) {
    g_value_set_double(&one, number);
    gst_value_array_append_value(&all, &one);
  }
  return all;
}

GValue array_of(const stats::LateCounts &counts) {
  GValue all = G_VALUE_INIT, one = G_VALUE_INIT;
  gst_value_array_init(&all, static_cast<guint>(counts.in_class.size()));
  g_value_init(&one, G_TYPE_UINT64);
  for (const std::uint64_t count : counts.in_class) {
    g_value_set_uint64(&one, count);
    gst_value_array_append_value(&all, &one);
  }
  return all;
}

SourceCounters::State Impl::state(bool has_media) const {
  using State = SourceCounters::State;
  if (failed_) return State::failed;
  if (has_media) return player_.counters().absent ? State::left : State::running;
  return preparation_.lock()->entry ? State::preparing : State::idle;
}

SourceCounters Impl::counters() const {
  const source::Counters &now = player_.counters();
  return {state(player_.clip() != nullptr),
          now.frames_sent,
          now.frames_dropped,
          now.audio_frames_sent,
          now.bitrate_kbps,
          now.key_unit_jumps};
}

Ptr<GstStructure> Impl::stats() const {
  const source::Counters &now = player_.counters();
  const auto clip = player_.clip();
  GValue renditions = array_of(clip ? clip->kbps : std::vector<double>());
  GValue with_all = array_of(clip ? clip->rtp_kbps : std::vector<double>());
  std::shared_ptr<runtime::Context> context;
  {
    const std::lock_guard hold(context_mutex_);
    context = context_;
  }
  const auto late = context ? context->lateness() : stats::Summary();
  const auto stuck = context ? context->stuck() : std::nullopt;
  const auto us = [](std::int64_t ns) { return static_cast<guint64>(ns / 1000); };
  auto all = take(gst_structure_new(
      "avchaossrc-stats", "participant-id", G_TYPE_UINT, settings.lock()->participant_id, "state", G_TYPE_STRING,
      kStateNames[static_cast<std::size_t>(state(clip != nullptr))], "frames-sent", G_TYPE_UINT64,
      now.frames_sent.load(), "frames-dropped", G_TYPE_UINT64, now.frames_dropped.load(), "frames-withheld",
      G_TYPE_UINT64, now.frames_withheld.load(), "audio-frames-sent", G_TYPE_UINT64, now.audio_frames_sent.load(),
      "packets-sent", G_TYPE_UINT64, now.packets_sent.load(), "bytes-sent", G_TYPE_UINT64, now.bytes_sent.load(),
      "video-numbers", G_TYPE_UINT, guint{now.video_numbers}, "audio-numbers", G_TYPE_UINT, guint{now.audio_numbers},
      "bitrate-kbps", G_TYPE_DOUBLE, now.bitrate_kbps.load(), "loops", G_TYPE_UINT64, now.loops.load(),
      "media-packets-per-second", G_TYPE_DOUBLE, clip ? clip->packets_per_second : 0.0, "media-payload-kbps",
      G_TYPE_DOUBLE, clip ? clip->payload_kbps : 0.0, "key-unit-jumps", G_TYPE_UINT64, now.key_unit_jumps.load(),
      "context", G_TYPE_STRING, context ? context->name().c_str() : "", "late-count", G_TYPE_UINT64, late.count,
      "late-avg-us", G_TYPE_DOUBLE, late.mean / 1e3, "late-p50-us", G_TYPE_UINT64, us(late.p50), "late-p95-us",
      G_TYPE_UINT64, us(late.p95), "late-p99-us", G_TYPE_UINT64, us(late.p99), "late-max-us", G_TYPE_UINT64,
      us(late.max), "stuck-ms", G_TYPE_UINT64, us(stuck ? stuck->since.count() / 1000 : 0), "stuck-in", G_TYPE_STRING,
      stuck ? stuck->owner.c_str() : "", nullptr));
  gst_structure_take_value(all.get(), "rendition-kbps", &renditions);
  gst_structure_take_value(all.get(), "rendition-rtp-kbps", &with_all);
  GValue counts = array_of(context ? context->late_counts() : stats::LateCounts());
  gst_structure_take_value(all.get(), "late-counts", &counts);
  return all;
}

void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) noexcept {
  if (id != kCountersId) return get_plain<impl_of, kProperties>(object, id, value, spec);
  put_counters(value, impl_of(object).counters());
}

// Nothing here waits for media; a live source has nothing to preroll.
GstStateChangeReturn change_state(GstElement *element, GstStateChange change) noexcept {
  Impl &impl = impl_of(element);
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !impl.open()) return GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PLAYING_TO_PAUSED) impl.pause();
  const auto result = GST_ELEMENT_CLASS(avc_chaos_src_parent_class)->change_state(element, change);
  if (result == GST_STATE_CHANGE_FAILURE) return result;
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING) impl.play();
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) impl.close();
  const bool to_paused = change == GST_STATE_CHANGE_READY_TO_PAUSED || change == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
  return to_paused ? GST_STATE_CHANGE_NO_PREROLL : result;
}

}  // namespace

static void avc_chaos_src_init(AvcChaosSrc *self) {
  self->impl = new Impl(GST_ELEMENT(self));
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void avc_chaos_src_class_init(AvcChaosSrcClass *klass) {
  GST_DEBUG_CATEGORY_INIT(avchaossrc_debug, "avchaossrc", 0, "Media of a simulated participant");
  auto *object = G_OBJECT_CLASS(klass);
  auto *element = GST_ELEMENT_CLASS(klass);
  object->finalize = [](GObject *o) noexcept {
    delete AVC_CHAOS_SRC(o)->impl;
    G_OBJECT_CLASS(avc_chaos_src_parent_class)->finalize(o);
  };
  install_plain<impl_of, kProperties>(object, "What was sent, in which rendition, and how late");
  install_counters(object, kCountersId);
  object->get_property = get_property;
  element->change_state = change_state;
  element->request_new_pad = [](GstElement *e, GstPadTemplate *t, const gchar *name, const GstCaps *) noexcept {
    return impl_of(e).request_pad(GST_PAD_TEMPLATE_NAME_TEMPLATE(t), name);
  };
  element->release_pad = [](GstElement *e, GstPad *pad) noexcept { impl_of(e).release_pad(pad); };
  element->send_event = [](GstElement *e, GstEvent *event) noexcept { return impl_of(e).send_event(take(event)); };
  for (GstStaticPadTemplate &one : templates) gst_element_class_add_static_pad_template(element, &one);
  gst_element_class_set_static_metadata(element, "Simulated participant", "Source/Audio/Video/Network/RTP",
                                        "Sends the media of one simulated conference participant, as RTP or frames",
                                        "gst-avchaos");
}
