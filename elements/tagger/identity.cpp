#include "elements/tagger/identity.hpp"

#include <string>
#include <utility>

namespace avc::tagger {
namespace {

constexpr guint kDefaultParticipant = 1001;
constexpr guint kDefaultAudioPayload = 111;
constexpr const char *kExtensionUri = "urn:avchaos:participant-id";
constexpr const char *kTransportCcUri = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

void set_extmap(GstStructure *caps, guint id, const char *uri) {
  gst_structure_set(caps, ("extmap-" + std::to_string(id)).c_str(), G_TYPE_STRING, uri, nullptr);
}

}  // namespace

void Identity::set_caps(GstCaps *caps) {
  caps_ = share(caps);
  const char *media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  media_ = !media ? Media::mixed : g_str_equal(media, "audio") ? Media::audio : Media::video;
}

void Identity::work_out(const Settings &settings) {
  info_ = upstream_.value_or(ParticipantInfo{});
  if (settings.participant_id) info_.participant_id = settings.participant_id;
  if (!info_.participant_id) info_.participant_id = kDefaultParticipant;
  info_.video_ssrc = settings.ssrc ? settings.ssrc : info_.participant_id * 1000;
  info_.audio_ssrc = settings.ssrc && media_ == Media::audio ? settings.ssrc : info_.video_ssrc + 1;
  if (settings.payload_type >= 0) {
    (media_ == Media::audio ? info_.audio_pt : info_.video_pt) = static_cast<guint>(settings.payload_type);
  }
}

net::Stream Identity::stream_of(std::uint8_t payload_type) const {
  if (media_ != Media::mixed) return main_stream();
  const guint audio = upstream_ ? upstream_->audio_pt : kDefaultAudioPayload;
  return payload_type == audio ? net::Stream::audio : net::Stream::video;
}

guint Identity::own_ssrc(net::Stream stream) const {
  if (stream == net::Stream::other) return flood_ssrc();
  return stream == net::Stream::audio ? info_.audio_ssrc : info_.video_ssrc;
}

guint Identity::flood_ssrc() const { return own_ssrc(main_stream()) + spike::kFloodSsrc; }

guint Identity::clock_rate_of(net::Stream stream) const {
  gint rate = 0;
  if (media_ != Media::mixed && caps_ &&
      gst_structure_get_int(gst_caps_get_structure(caps_.get(), 0), "clock-rate", &rate) && rate > 0)
    return static_cast<guint>(rate);
  return stream == net::Stream::audio ? 48000 : 90000;
}

Ptr<GstCaps> Identity::caps(const Settings &settings) const {
  if (!caps_) return nullptr;
  auto caps = take(gst_caps_copy(caps_.get()));
  GstStructure *structure = gst_caps_get_structure(caps.get(), 0);
  if (media_ != Media::mixed) {
    gst_structure_set(structure, "ssrc", G_TYPE_UINT, ssrc_of(main_stream()), nullptr);
    if (settings.payload_type >= 0) gst_structure_set(structure, "payload", G_TYPE_INT, settings.payload_type, nullptr);
  }
  guint offset = 0;
  if (gst_structure_get_uint(structure, "seqnum-offset", &offset)) {
    gst_structure_set(structure, "seqnum-offset", G_TYPE_UINT, (offset + settings.seqnum_offset) & 0xffffu, nullptr);
  }
  if (gst_structure_get_uint(structure, "timestamp-offset", &offset)) {
    gst_structure_set(structure, "timestamp-offset", G_TYPE_UINT, offset + settings.timestamp_offset, nullptr);
  }
  if (settings.extension == Extension::rfc8285) set_extmap(structure, settings.extension_id, kExtensionUri);
  if (settings.extension != Extension::rfc3550 && settings.transport_cc_id > 0)
    set_extmap(structure, settings.transport_cc_id, kTransportCcUri);
  if (!settings.profile_level_id.empty())
    gst_structure_set(structure, "profile-level-id", G_TYPE_STRING, settings.profile_level_id.c_str(), nullptr);
  return gst_caps_is_equal(caps.get(), caps_.get()) ? share(caps_.get()) : std::move(caps);
}

Rewrite Identity::rewrite_of(net::Stream stream, const Settings &settings) const {
  Rewrite rewrite{settings.extension, static_cast<std::uint8_t>(settings.extension_id),
                  static_cast<std::uint8_t>(settings.transport_cc_id), info_.participant_id, ssrc_of(stream)};
  if (stream == net::Stream::other) return rewrite;  // a flood's packets are numbered by us
  const bool retype = settings.payload_type >= 0 && !(media_ == Media::mixed && stream == net::Stream::audio);
  if (retype) rewrite.payload_type = static_cast<std::uint8_t>(settings.payload_type);
  const Shift &shift = shifts_[static_cast<std::size_t>(stream)];
  rewrite.sequence_offset = static_cast<std::uint16_t>(settings.seqnum_offset + shift.sequence);
  rewrite.timestamp_offset = settings.timestamp_offset + shift.timestamp;
  return rewrite;
}

}  // namespace avc::tagger
