#include "launcher/webrtc/sdp.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <string_view>

namespace avc::webrtc {
namespace {

constexpr std::string_view kParticipantUri = "urn:avchaos:participant-id";
constexpr std::string_view kTransportCcUri =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
constexpr std::size_t kLongest = 64 * 1024;
constexpr unsigned kOwnParticipantExt = 1, kOwnTransportCcExt = 2, kLastOneByteExt = 14;

// An attribute of the medium, or else of the session.
const char *attribute(const GstSDPMessage &message, const GstSDPMedia &media, const char *name) {
  const char *value = gst_sdp_media_get_attribute_val(&media, name);
  return value != nullptr ? value : gst_sdp_message_get_attribute_val(&message, name);
}

std::optional<unsigned> leading_number(std::string_view text) {
  unsigned number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end != text.data() ? std::optional(number) : std::nullopt;
}

// What follows "PT " in the attribute of that name for this payload type.
std::string of_payload(const GstSDPMedia &media, const char *name, unsigned payload_type) {
  for (guint i = 0;; ++i) {
    const char *raw = gst_sdp_media_get_attribute_val_n(&media, name, i);
    if (raw == nullptr) return "";
    const std::string_view value = raw;
    if (leading_number(value) != payload_type) continue;
    const auto space = value.find(' ');
    return space == std::string_view::npos ? "" : std::string(value.substr(space + 1));
  }
}

// One of "name=value;name=value".
std::string parameter(std::string_view fmtp, std::string_view name) {
  while (!fmtp.empty()) {
    auto one = fmtp.substr(0, fmtp.find(';'));
    fmtp.remove_prefix(std::min(fmtp.size(), one.size() + 1));
    one.remove_prefix(std::min(one.size(), one.find_first_not_of(' ')));
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
      return std::string(one.substr(name.size() + 1));
  }
  return "";
}

unsigned extension_id(const GstSDPMedia &media, std::string_view uri) {
  for (guint i = 0;; ++i) {
    const char *raw = gst_sdp_media_get_attribute_val_n(&media, "extmap", i);
    if (raw == nullptr) return 0;
    const std::string_view value = raw;
    const auto id = leading_number(value);
    if (id && *id >= 1 && *id <= kLastOneByteExt && value.ends_with(uri)) return *id;
  }
}

// Of the retransmissions of what has this payload type; 0: none.
unsigned rtx_of(const GstSDPMedia &media, unsigned payload_type) {
  for (guint i = 0; i < gst_sdp_media_formats_len(&media); ++i) {
    const auto rtx = leading_number(gst_sdp_media_get_format(&media, i));
    if (!rtx || g_ascii_strncasecmp(of_payload(media, "rtpmap", *rtx).c_str(), "rtx/", 4) != 0) continue;
    if (leading_number(parameter(of_payload(media, "fmtp", *rtx), "apt")) == payload_type) return *rtx;
  }
  return 0;
}

// Does it ask for packets that it misses, and know how they come?
bool asks_for_packets(const GstSDPMedia &media, unsigned payload_type) {
  const std::string own = std::to_string(payload_type) + " nack";
  for (guint i = 0;; ++i) {
    const char *value = gst_sdp_media_get_attribute_val_n(&media, "rtcp-fb", i);
    if (value == nullptr) return false;
    if (value == own || g_str_equal(value, "* nack")) return rtx_of(media, payload_type) != 0;
  }
}

bool receives(const GstSDPMessage &message, const GstSDPMedia &media) {
  for (const char *away : {"sendonly", "inactive"}) {
    if (attribute(message, media, away) != nullptr) return false;
  }
  return true;
}

bool is_codec(const std::string &rtpmap, const char *codec) {
  return g_ascii_strncasecmp(rtpmap.c_str(), codec, std::char_traits<char>::length(codec)) == 0;
}

bool sends(const GstSDPMessage &message, const GstSDPMedia &media) {
  for (const char *away : {"recvonly", "inactive"}) {
    if (attribute(message, media, away) != nullptr) return false;
  }
  return gst_sdp_media_get_port(&media) != 0 || gst_sdp_media_get_attribute_val(&media, "bundle-only") != nullptr;
}

bool has_feedback(const GstSDPMedia &media, std::string_view feedback) {
  for (guint i = 0;; ++i) {
    const char *raw = gst_sdp_media_get_attribute_val_n(&media, "rtcp-fb", i);
    if (raw == nullptr) return false;
    const std::string_view value = raw;  // "96 nack" or "* nack"
    const auto space = value.find(' ');
    if (space != std::string_view::npos && value.substr(space + 1) == feedback) return true;
  }
}

// "FID 1001000 3735928559": the second repeats the first (RFC 5576, RFC 4588).
void read_originals(const GstSDPMedia &media, std::map<std::uint32_t, std::uint32_t> &originals) {
  for (guint i = 0;; ++i) {
    const char *raw = gst_sdp_media_get_attribute_val_n(&media, "ssrc-group", i);
    if (raw == nullptr) return;
    std::istringstream words(raw);
    std::string semantics;
    std::uint32_t original = 0, again = 0;
    if (words >> semantics >> original >> again && semantics == "FID") originals[again] = original;
  }
}

stats::PayloadMap::Type type_of(const GstSDPMedia &media, unsigned payload_type, net::Stream kind) {
  const std::string rtpmap = of_payload(media, "rtpmap", payload_type);
  const auto slash = rtpmap.find('/');
  if (slash == std::string::npos) return {};
  stats::PayloadMap::Type type{kind, leading_number(std::string_view(rtpmap).substr(slash + 1)).value_or(0), {}};
  if (!is_codec(rtpmap, "rtx/")) return type;
  const auto original = leading_number(parameter(of_payload(media, "fmtp", payload_type), "apt"));
  if (!original || *original >= stats::PayloadMap::kTypes) return {};
  type.again = static_cast<std::uint8_t>(*original);
  return type;
}

// 0 is best; nothing where it cannot be sent.
std::optional<int> rank(const GstSDPMedia &media, unsigned payload_type, bool video) {
  const std::string rtpmap = of_payload(media, "rtpmap", payload_type);
  if (!video) return is_codec(rtpmap, "opus/48000") ? std::optional(0) : std::nullopt;
  if (!is_codec(rtpmap, "h264/90000")) return std::nullopt;
  const std::string fmtp = of_payload(media, "fmtp", payload_type);
  if (parameter(fmtp, "packetization-mode") != "1") return std::nullopt;
  const std::string profile = parameter(fmtp, "profile-level-id").substr(0, 4);
  if (g_ascii_strcasecmp(profile.c_str(), "42e0") == 0 || g_ascii_strcasecmp(profile.c_str(), "42c0") == 0) return 0;
  return profile.empty() || profile.starts_with("42") ? 1 : 2;
}

std::optional<Stream> choose(const GstSDPMedia &media, bool video) {
  std::optional<Stream> chosen;
  int best = INT_MAX;
  for (guint i = 0; i < gst_sdp_media_formats_len(&media); ++i) {
    const auto payload_type = leading_number(gst_sdp_media_get_format(&media, i));
    if (!payload_type) continue;
    const auto found = rank(media, *payload_type, video);
    if (!found || *found >= best) continue;
    best = *found;
    chosen = Stream{*payload_type, parameter(of_payload(media, "fmtp", *payload_type), "profile-level-id"),
                    extension_id(media, kParticipantUri), extension_id(media, kTransportCcUri),
                    video && asks_for_packets(media, *payload_type)};
  }
  return chosen;
}

std::optional<std::string> fault_of_transport(const GstSDPMessage &message, const GstSDPMedia &media) {
  for (const char *needed : {"ice-ufrag", "ice-pwd", "fingerprint"}) {
    if (attribute(message, media, needed) == nullptr) return "has no a=" + std::string(needed);
  }
  return std::nullopt;
}

constexpr std::array<std::string_view, 5> kTransport{"ice-ufrag", "ice-pwd", "fingerprint", "candidate",
                                                     "end-of-candidates"};

bool is_of_transport(const GstSDPAttribute &attribute) {
  return std::ranges::find(kTransport, std::string_view(attribute.key)) != kTransport.end();
}

void copy_transport(const GstSDPMedia &from, GstSDPMedia &to) {
  for (guint i = gst_sdp_media_attributes_len(&to); i-- > 0;) {
    if (is_of_transport(*gst_sdp_media_get_attribute(&to, i))) gst_sdp_media_remove_attribute(&to, i);
  }
  for (guint i = 0; i < gst_sdp_media_attributes_len(&from); ++i) {
    const GstSDPAttribute &one = *gst_sdp_media_get_attribute(&from, i);
    if (is_of_transport(one)) gst_sdp_media_add_attribute(&to, one.key, one.value);
  }
}

}  // namespace

Streams own_streams() {
  return {Stream{participant::kVideoPayloadType, "", kOwnParticipantExt, kOwnTransportCcExt, true},
          Stream{participant::kAudioPayloadType, "", kOwnParticipantExt, kOwnTransportCcExt, false}};
}

Result<Sdp> parse_sdp(const std::string &text) {
  if (text.empty()) return Error{"", "is empty"};
  if (text.size() > kLongest) return Error{"", "is longer than 64 KiB"};
  if (!text.starts_with("v=0")) return Error{"", "is no session description: it does not begin with v=0"};
  GstSDPMessage *raw = nullptr;
  const GstSDPResult result = gst_sdp_message_new_from_text(text.c_str(), &raw);
  Sdp message(raw);
  if (result != GST_SDP_OK || message == nullptr) return Error{"", "is no session description"};
  if (gst_sdp_message_medias_len(message.get()) == 0) return Error{"", "has no media (no line m=)"};
  return message;
}

Result<Streams> choose_streams(const GstSDPMessage &offer) {
  Streams streams;
  for (guint i = 0; i < gst_sdp_message_medias_len(&offer); ++i) {
    const GstSDPMedia &media = *gst_sdp_message_get_media(&offer, i);
    const std::string_view kind = gst_sdp_media_get_media(&media);
    auto &slot = kind == "audio" ? streams.audio : streams.video;
    if ((kind != "audio" && kind != "video") || slot || !receives(offer, media)) continue;
    slot = choose(media, kind == "video");
    if (auto fault = slot ? fault_of_transport(offer, media) : std::nullopt) return Error{"", *fault};
  }
  if (!streams.video && !streams.audio)
    return Error{"", "receives neither H.264 with packetization-mode=1 nor Opus, which is all there is"};
  return streams;
}

unsigned rtx_payload_type(const GstSDPMessage &ours) {
  for (guint i = 0; i < gst_sdp_message_medias_len(&ours); ++i) {
    const GstSDPMedia &media = *gst_sdp_message_get_media(&ours, i);
    if (!g_str_equal(gst_sdp_media_get_media(&media), "video") || gst_sdp_media_formats_len(&media) == 0) continue;
    if (const auto first = leading_number(gst_sdp_media_get_format(&media, 0))) return rtx_of(media, *first);
  }
  return 0;
}

void share_transport(GstSDPMessage &offer) {
  const char *raw = gst_sdp_message_get_attribute_val(&offer, "group");
  std::string_view group = raw != nullptr ? raw : "";
  if (!group.starts_with("BUNDLE ")) return;
  group.remove_prefix(7);
  const std::string first(group.substr(0, group.find(' ')));
  const std::string all = " " + std::string(group) + " ";
  const GstSDPMedia *tagged = nullptr;
  const auto each = [&offer](auto what) {
    for (guint i = 0; i < gst_sdp_message_medias_len(&offer); ++i) {
      auto &media = const_cast<GstSDPMedia &>(*gst_sdp_message_get_media(&offer, i));  // the message is ours to change
      const char *mid = gst_sdp_media_get_attribute_val(&media, "mid");
      what(media, std::string(mid != nullptr ? mid : ""));
    }
  };
  each([&](GstSDPMedia &media, const std::string &mid) {
    if (mid == first) tagged = &media;
  });
  if (tagged == nullptr) return;
  each([&](GstSDPMedia &media, const std::string &mid) {
    if (&media != tagged && !mid.empty() && all.find(" " + mid + " ") != std::string::npos)
      copy_transport(*tagged, media);
  });
}

std::string candidate_address(std::string_view candidate) {
  constexpr int kBefore = 4;  // foundation, component, transport, priority
  if (candidate.starts_with("a=")) candidate.remove_prefix(2);
  if (!candidate.starts_with("candidate:")) return "";
  for (int i = 0; i < kBefore; ++i) {
    const auto space = candidate.find(' ');
    if (space == std::string_view::npos) return "";
    candidate.remove_prefix(space + 1);
  }
  return std::string(candidate.substr(0, candidate.find(' ')));
}

std::string with_admitted_candidates(const std::string &sdp, const Admits &admits) {
  std::string kept;
  std::string_view rest = sdp;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
    rest.remove_prefix(line.size());
    if (!line.starts_with("a=candidate:") || admits(candidate_address(line))) kept += line;
  }
  return kept;
}

Fragment parse_fragment(const std::string &text) {
  Fragment fragment;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    constexpr std::string_view kUfrag = "a=ice-ufrag:";
    if (line.starts_with(kUfrag)) fragment.ufrag = line.substr(kUfrag.size());
    if (line.starts_with("a=candidate:")) fragment.candidates.emplace_back(line);
  }
  return fragment;
}

stats::PayloadMap payloads_of(const GstSDPMessage &theirs) {
  stats::PayloadMap map;
  for (guint i = 0; i < gst_sdp_message_medias_len(&theirs); ++i) {
    const GstSDPMedia &media = *gst_sdp_message_get_media(&theirs, i);
    const std::string_view kind = gst_sdp_media_get_media(&media);
    if ((kind != "audio" && kind != "video") || !sends(theirs, media)) continue;
    const net::Stream stream = kind == "audio" ? net::Stream::audio : net::Stream::video;
    for (guint f = 0; f < gst_sdp_media_formats_len(&media); ++f) {
      const auto payload_type = leading_number(gst_sdp_media_get_format(&media, f));
      if (payload_type && *payload_type < stats::PayloadMap::kTypes)
        map.types[*payload_type] = type_of(media, *payload_type, stream);
    }
    read_originals(media, map.originals);
    if (const unsigned id = extension_id(media, kParticipantUri); id > 0)
      map.participant_ext = static_cast<std::uint8_t>(id);
    map.nack = map.nack || (stream == net::Stream::video && has_feedback(media, "nack"));
  }
  return map;
}

std::optional<std::string> fault_of_answer(const GstSDPMessage &answer, unsigned media) {
  const guint count = gst_sdp_message_medias_len(&answer);
  if (count != media) return "has " + std::to_string(count) + " media where the offer has " + std::to_string(media);
  bool any = false;
  for (guint i = 0; i < count; ++i) {
    const GstSDPMedia &one = *gst_sdp_message_get_media(&answer, i);
    if (gst_sdp_media_get_port(&one) == 0) continue;
    any = true;
    if (auto fault = fault_of_transport(answer, one)) return fault;
    const char *setup = attribute(answer, one, "setup");
    if (setup != nullptr && g_str_equal(setup, "actpass"))
      return "says a=setup:actpass, which only an offer may; is it the offer itself?";
  }
  if (!any) return "takes none of the media";
  return std::nullopt;
}

}  // namespace avc::webrtc
