// Who a tagger's packets belong to: SSRCs and payload types of its participant's streams, as its properties, upstream's
// word and the spikes in force make them, the caps that say so, and what is to be written into each header.
#pragma once

#include <gst/gst.h>

#include <array>
#include <optional>
#include <string>

#include "core/net/packet.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/ptr.hpp"
#include "elements/tagger/rewrite.hpp"
#include "elements/tagger/spikes.hpp"

namespace avc::tagger {

struct Settings {
  guint participant_id = 0;
  guint ssrc = 0;
  Extension extension = Extension::rfc3550;
  guint extension_id = 1;
  guint transport_cc_id = 0;
  std::string profile_level_id;
  gint payload_type = -1;
  guint seqnum_offset = 0;
  guint timestamp_offset = 0;
  guint rtcp_interval_ms = 5000;
};

// Belongs to the streaming thread.
class Identity {
 public:
  void set_caps(GstCaps *caps);
  void set_upstream(const ParticipantInfo &info) { upstream_ = info; }
  void work_out(const Settings &settings);
  void set_shift(net::Stream stream, const Shift &shift) { shifts_[static_cast<std::size_t>(stream)] = shift; }

  const ParticipantInfo &info() const { return info_; }  // what goes downstream; spikes do not change it
  net::Stream stream_of(std::uint8_t payload_type) const;
  net::Stream main_stream() const { return media_ == Media::audio ? net::Stream::audio : net::Stream::video; }
  guint ssrc_of(net::Stream stream) const { return own_ssrc(stream) + shifts_[static_cast<std::size_t>(stream)].ssrc; }
  guint flood_ssrc() const;
  guint clock_rate_of(net::Stream stream) const;
  [[nodiscard]] Ptr<GstCaps> caps(const Settings &settings) const;  // none before upstream's have come
  Rewrite rewrite_of(net::Stream stream, const Settings &settings) const;

 private:
  enum class Media { mixed, video, audio };

  guint own_ssrc(net::Stream stream) const;

  Ptr<GstCaps> caps_;  // upstream's
  std::optional<ParticipantInfo> upstream_;
  Media media_ = Media::mixed;
  ParticipantInfo info_;
  std::array<Shift, net::kStreamCount> shifts_{};
};

}  // namespace avc::tagger
