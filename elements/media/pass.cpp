#include "elements/media/pass.hpp"

#include <gst/app/gstappsink.h>

namespace avc::media {
namespace {

constexpr GstClockTime kProgressEvery = 500 * GST_MSECOND;
constexpr const char *kFinished = "avchaos-pass-finished";

Nanos running_time(GstSample *sample, GstBuffer *buffer) {
  const GstSegment *segment = gst_sample_get_segment(sample);
  guint64 running = 0;
  const int sign = gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer), &running);
  return Nanos(static_cast<Nanos::rep>(running) * (sign < 0 ? -1 : 1));
}

GstFlowReturn take_sample(GstAppSink *sink, gpointer data) noexcept {
  auto &collected = **static_cast<std::shared_ptr<Collected> *>(data);
  const auto sample = take(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  if (GstCaps *caps = gst_sample_get_caps(sample.get()); caps != nullptr && !collected.caps)
    collected.caps = share(caps);
  GstBuffer *buffer = gst_sample_get_buffer(sample.get());
  CodedUnit unit;
  if (GST_BUFFER_PTS_IS_VALID(buffer))
    unit.pts = running_time(sample.get(), buffer);
  else
    collected.timed = false;
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) unit.duration = Nanos(GST_BUFFER_DURATION(buffer));
  unit.keyframe = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  unit.data = share(buffer);
  collected.units.push_back(std::move(unit));
  return GST_FLOW_OK;
}

// Does any thread still drive the pipeline? A demuxer that gives up while parsebin or decodebin is plugging it can
// lose its error message there, and without a sink nothing would ever say that it is over.
bool driven(GstBin *bin) {
  bool found = false;
  GstIterator *elements = gst_bin_iterate_recurse(bin);
  const auto look = [](const GValue *item, gpointer data) noexcept {
    auto *element = GST_ELEMENT(g_value_get_object(item));
    gst_element_foreach_pad(
        element,
        [](GstElement *, GstPad *pad, gpointer out) noexcept -> gboolean {
          if (gst_pad_get_task_state(pad) == GST_TASK_STARTED) *static_cast<bool *>(out) = true;
          return TRUE;
        },
        data);
  };
  while (gst_iterator_foreach(elements, look, &found) == GST_ITERATOR_RESYNC) gst_iterator_resync(elements);
  gst_iterator_free(elements);
  return found;
}

std::string error_text(GstMessage *message) {
  GError *raw = nullptr;
  gst_message_parse_error(message, &raw, nullptr);
  const auto error = take(raw);
  std::string text = error->message;
  while (!text.empty() && (text.back() == '.' || text.back() == '\n')) text.pop_back();
  return text;
}

}  // namespace

void Stop::request() {
  const std::lock_guard hold(mutex_);
  requested_ = true;
  if (bus_ != nullptr) gst_bus_post(bus_, gst_message_new_application(nullptr, gst_structure_new_empty(kFinished)));
}

Pass::Pass() : pipeline_(take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))))) {}

Pass::~Pass() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

GstElement *Pass::add(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr) {
    fail(std::string("the GStreamer element ") + factory + " is not installed");
    return nullptr;
  }
  gst_bin_add(bin(), element);
  return element;
}

GstElement *Pass::add_text(const std::string &text) {
  GError *raw = nullptr;
  GstElement *piece =
      gst_parse_bin_from_description_full(text.c_str(), TRUE, nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw);
  const auto error = take(raw);
  if (piece == nullptr) {
    fail(error ? error->message : "cannot make: " + text);
    return nullptr;
  }
  gst_bin_add(bin(), piece);
  return piece;
}

std::shared_ptr<Collected> Pass::collect(GstElement *piece, const std::string &app_sink) {
  auto collected = std::make_shared<Collected>();
  const auto sink = take(gst_bin_get_by_name(GST_BIN(piece), app_sink.c_str()));
  g_object_set(sink.get(), "sync", FALSE, "async", FALSE, nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = take_sample;
  gst_app_sink_set_callbacks(GST_APP_SINK(sink.get()), &callbacks, new std::shared_ptr(collected),
                             [](gpointer data) { delete static_cast<std::shared_ptr<Collected> *>(data); });
  return collected;
}

void Pass::finish() {
  gst_element_post_message(
      pipeline_.get(), gst_message_new_application(GST_OBJECT(pipeline_.get()), gst_structure_new_empty(kFinished)));
}

void Pass::fail(std::string message) {
  {
    const std::lock_guard hold(mutex_);
    if (!failure_) failure_ = std::move(message);
  }
  finish();
}

std::optional<Error> Pass::run(Stop &stop, const Progress &progress) {
  const auto bus = take(gst_element_get_bus(pipeline_.get()));
  {
    const std::lock_guard hold(stop.mutex_);
    stop.bus_ = bus.get();
  }
  std::optional<Error> error;
  if (!failure_) {
    // A refusal to start comes with an error message, which says more than the return value.
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    error = wait(bus.get(), stop, progress);
  }
  {
    const std::lock_guard hold(stop.mutex_);
    stop.bus_ = nullptr;
  }
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (stop.requested()) return Error{"", "no longer wanted"};
  if (failure_) return Error{"", *failure_};
  return error;
}

std::optional<Error> Pass::wait(GstBus *bus, Stop &stop, const Progress &progress) {
  const auto types = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_APPLICATION);
  int idle = 0;
  while (!stop.requested()) {
    const auto message = take(gst_bus_timed_pop_filtered(bus, kProgressEvery, types));
    if (!message) {
      report(progress);
      idle = driven(bin()) ? 0 : idle + 1;
      if (idle > 1) return Error{"", "GStreamer finds nothing to play in it"};
      continue;
    }
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) return Error{"", error_text(message.get())};
    return std::nullopt;
  }
  return std::nullopt;
}

void Pass::report(const Progress &progress) {
  gint64 position = 0, duration = 0;
  if (!progress || !gst_element_query_position(pipeline_.get(), GST_FORMAT_TIME, &position) ||
      !gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &duration) || duration <= 0)
    return;
  progress(100.0 * static_cast<double>(position) / static_cast<double>(duration));
}

std::string quoted(const std::string &value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

}  // namespace avc::media
