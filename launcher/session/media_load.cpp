#include "launcher/session/media_load.hpp"

#include <utility>

#include "elements/support/ptr.hpp"
#include "launcher/session/setter.hpp"

namespace avc::session {
namespace {

constexpr guint kLookMs = 20;
constexpr int kMostLooks = 15'000 / kLookMs;  // clients wait 30 s
// RTP 12, and the participant's id in an extension of 8 (docs/wire-format.md).
constexpr double kHeaderBytes = 20;

}  // namespace

void MediaLoad::ask(const SessionSetup &setup, Done done) {
  auto load = std::unique_ptr<MediaLoad>(new MediaLoad(std::move(done)));
  if (!load->prepare(setup)) return load->over(std::nullopt);
  if (!load->look()) return;
  g_timeout_add_full(
      G_PRIORITY_DEFAULT, kLookMs,
      [](gpointer self) -> gboolean { return static_cast<MediaLoad *>(self)->look() ? TRUE : FALSE; }, load.release(),
      [](gpointer self) { delete static_cast<MediaLoad *>(self); });
}

MediaLoad::~MediaLoad() {
  if (source_ == nullptr) return;
  gst_element_set_state(source_, GST_STATE_NULL);
  gst_object_unref(source_);
}

bool MediaLoad::prepare(const SessionSetup &setup) {
  source_ = gst_element_factory_make("avchaossrc", nullptr);
  if (source_ == nullptr) return false;
  gst_object_ref_sink(source_);
  Setter source(source_);
  set_media(source, media_settings(setup));
  return bool(source.outcome()) && gst_element_set_state(source_, GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE;
}

bool MediaLoad::look() {
  GstStructure *raw = nullptr;
  g_object_get(source_, "stats", &raw, nullptr);
  const auto stats = take(raw);
  const std::string state = gst_structure_get_string(stats.get(), "state");
  double packets = 0, kbps = 0;
  gst_structure_get_double(stats.get(), "media-packets-per-second", &packets);
  gst_structure_get_double(stats.get(), "media-payload-kbps", &kbps);
  if (packets > 0) {
    over(scenario::MediaFacts{packets, kbps + packets * kHeaderBytes * 8 / 1000});
    return false;
  }
  if (state != "failed" && ++looks_ < kMostLooks) return true;
  over(std::nullopt);
  return false;
}

void MediaLoad::over(std::optional<scenario::MediaFacts> facts) {
  if (const auto done = std::exchange(done_, nullptr)) done(facts);
}

}  // namespace avc::session
