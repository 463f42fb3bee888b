#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "launcher/scenario/duration.hpp"
#include "launcher/scenario/readers.hpp"

namespace avc::scenario {
namespace {

// A whole number; 0 and absent leave the default, as in the old tool.
void take(json::Object &object, std::string_view key, std::int64_t low, std::int64_t high, std::uint32_t &slot) {
  const auto value = object.get(key);
  if (!value) return;
  const auto number = value->integer(0, high);
  if (!number || *number == 0) return;
  if (*number < low)
    return value->fault(std::to_string(*number) + " is not accepted; it must be " + std::to_string(low) + " to " +
                        std::to_string(high));
  slot = static_cast<std::uint32_t>(*number);
}

// One of a few words, whatever their case.
void take_codec(json::Object &object, std::string_view only, std::string &slot) {
  const auto text = object.text("codec", 32);
  if (!text || text->empty()) return;
  std::string lower = *text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (lower != only)
    return object.fault("codec", "\"" + *text + "\" is not available; it must be " + std::string(only));
  slot = only;
}

template <std::size_t N>
std::optional<std::size_t> take_word(json::Object &object, std::string_view key,
                                     const std::array<std::string_view, N> &words) {
  const auto text = object.text(key, 64);
  if (!text) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  object.fault(key, unknown_text("value", *text, words));
  return std::nullopt;
}

}  // namespace

void read_video(json::Object &object, Video &video) {
  take(object, "width", 16, 7680, video.width);
  take(object, "height", 16, 4320, video.height);
  take(object, "bitrate_kbps", 10, 100000, video.bitrate_kbps);
  if (const auto fps = object.number("fps", 0, 120); fps.value_or(0) > 0) {
    if (*fps < 1) {
      object.fault("fps", number_text(*fps) + " is not accepted; it must be 1 to 120");
    } else {
      video.fps = *fps;
    }
  }
  take_codec(object, "h264", video.codec);
  object.done();
}

void read_audio(json::Object &object, Audio &audio) {
  take(object, "sample_rate", 8000, 48000, audio.sample_rate);
  take(object, "channels", 1, 2, audio.channels);
  take(object, "bitrate_kbps", 6, 510, audio.bitrate_kbps);
  take_codec(object, "opus", audio.codec);
  object.done();
}

Nanos read_ramp(json::Object &object, std::uint32_t participants, Nanos duration) {
  constexpr double kLongest = 86400;
  const auto seconds = read_seconds(object, "seconds", 0, kLongest);
  const auto rate = object.number("spawn_rate", 0, 100000);  // as stages will have it
  object.done();
  const bool by_rate = rate.value_or(0) > 0;
  const double ramp = by_rate ? participants / *rate : seconds.value_or(0);
  const char *key = by_rate ? "spawn_rate" : "seconds";
  const std::string takes = "all have joined after " + number_text(ramp) + " s only, ";
  if (by_rate && seconds.value_or(0) > 0) {
    object.fault(key, "contradicts ramp.seconds: one of them says how fast participants join");
  } else if (duration > Nanos(0) && ramp > to_seconds(duration)) {
    object.fault(key,
                 takes + "and the test is over after " + number_text(to_seconds(duration)) + " (duration_seconds)");
  } else if (ramp > kLongest) {
    object.fault(key, takes + "at most " + number_text(kLongest) + " are accepted");
  } else {
    return from_seconds(ramp);
  }
  return Nanos(0);
}

void read_media(json::Object &root, Media &media) {
  media.path = root.text("media_path").value_or("");
  auto object = root.object("media");
  if (!object) return;
  const std::string old_path = media.path;
  const auto path = object->text("path"), video = object->text("video_path"), audio = object->text("audio_path");
  if (path && !old_path.empty() && *path != old_path) {
    object->fault("path", "contradicts media_path: \"" + *path + "\" and \"" + old_path + "\"");
  }
  const std::string whole = path.value_or(old_path);
  if (!whole.empty() && (video.value_or("") != "" || audio.value_or("") != "")) {
    object->fault(
        video.value_or("") != "" ? "video_path" : "audio_path",
        std::string("contradicts ") + (path ? "media.path" : "media_path") + ", which names one file for both kinds");
  }
  media.path = whole;
  media.video_path = video.value_or("");
  media.audio_path = audio.value_or("");
  media.fps = object->number("fps", 1, 240).value_or(0);
  object->done();
}

// What a bearer token is made of (RFC 6750 section 2.1): nothing that JSON would have to escape.
bool is_token(const std::string &text) {
  return std::ranges::all_of(text, [](char c) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return plain || std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
}

void read_endpoint(json::Object &object, Target &target) {
  target.url = object.text("url", 2048).value_or("");
  target.token = object.text("token", 4096).value_or("");
  target.room = object.text("room", 128).value_or("");
  if (target.url.empty()) object.fault("url", "is needed: the endpoint, for example http://HOST/whip/{id}");
  if (!is_token(target.token)) object.fault("token", "may hold letters, digits and -._~+/= only");
}

void read_target(json::Object &object, Target &target) {
  using Transport = Target::Transport;
  constexpr std::array<std::string_view, 5> kTransports{"udp", "loopback", "webrtc", "whip", "rtsp"};
  const auto transport = take_word(object, "transport", kTransports).value_or(0);
  if (transport > 3) {
    object.fault("transport", "\"" + std::string(kTransports[transport]) +
                                  "\" is not available yet; udp, loopback, webrtc and whip are");
  }
  target.transport = transport > 3 ? Transport::udp : static_cast<Transport>(transport);
  const std::string contradicts = "contradicts target.transport \"" + std::string(kTransports[transport]) + "\"";
  const bool whip = target.transport == Transport::whip;
  for (const char *key : {"url", "token", "room"}) {
    if (!whip && object.get(key)) object.fault(key, contradicts + ": only \"whip\" has one");
  }
  if (whip) read_endpoint(object, target);
  const auto host = object.text("host", 253);
  const auto port = object.integer("port", 1, 65535);
  if (host && host->empty()) object.fault("host", "is empty");
  if (host) target.host = *host;
  if (target.transport == Transport::loopback) target.port = 0;  // any that is free
  if (port) target.port = static_cast<std::uint16_t>(*port);
  if (target.transport == Transport::loopback && host) object.fault("host", contradicts);
  for (const char *key : {"host", "port"}) {
    if (!object.get(key)) continue;
    if (target.transport == Transport::webrtc) object.fault(key, contradicts + ": viewers come to the daemon");
    if (whip) object.fault(key, contradicts + ", which has a url");
  }
  object.done();
}

void read_subscribers(json::Object &object, std::uint32_t participants, Subscribers &subscribers) {
  constexpr std::uint32_t kOwn = Subscribers::kMostOfOurOwn;
  subscribers.whep_url = object.text("whep_url", 2048).value_or("");
  subscribers.token = object.text("token", 4096).value_or("");
  subscribers.room = object.text("room", 128).value_or("");
  subscribers.count = static_cast<std::uint32_t>(object.integer("count", 1, Subscribers::kMost).value_or(1));
  if (!is_token(subscribers.token)) object.fault("token", "may hold letters, digits and -._~+/= only");
  const bool own = subscribers.whep_url.empty();
  for (const char *key : {"token", "room"}) {
    if (own && object.get(key)) object.fault(key, "has no use without whep_url");
  }
  const std::uint64_t all = std::uint64_t{subscribers.count} * participants;
  if (all > (own ? kOwn : Subscribers::kMost)) {
    object.fault("count", std::to_string(subscribers.count) + " for each of " + std::to_string(participants) +
                              " participants are " + std::to_string(all) + "; at most " +
                              std::to_string(own ? kOwn : Subscribers::kMost) + " are accepted" +
                              (own ? " without whep_url" : ""));
  }
  object.done();
}

void read_tags(const json::Value &value, std::map<std::string, std::string> &tags) {
  if (value.kind() == json::Value::Kind::array) {
    for (const auto &item : value.array(100)) {
      if (auto text = item.text(128)) tags[*text];
    }
    return;
  }
  auto object = value.object();
  if (!object) return;
  for (const auto &[key, item] : object->members()) {
    if (auto text = item.text(256)) tags[key] = *text;
  }
}

void read_renditions(const json::Value &value, std::vector<std::uint32_t> &renditions) {
  constexpr double kLow = 10, kHigh = 100000;
  const auto add = [&](double kbps) { renditions.push_back(static_cast<std::uint32_t>(kbps)); };
  if (value.kind() == json::Value::Kind::text) {  // "2500,1200,600", as the element's property
    const auto whole = value.text(256);
    std::string_view rest = whole ? std::string_view(*whole) : std::string_view();
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      std::string_view word = rest.substr(0, end);
      while (word.starts_with(' ')) word.remove_prefix(1);
      while (word.ends_with(' ')) word.remove_suffix(1);
      const auto kbps = parse_number(word);
      if (!kbps || !(*kbps >= kLow && *kbps <= kHigh)) return value.fault("each rendition must be 10 to 100000 kbit/s");
      add(*kbps);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  } else {
    for (const auto &item : value.array(16)) {
      if (const auto kbps = item.number(kLow, kHigh)) add(*kbps);
    }
  }
  if (renditions.size() > 16) value.fault("at most 16 renditions are accepted");
  std::sort(renditions.begin(), renditions.end(), std::greater<>());
  renditions.erase(std::unique(renditions.begin(), renditions.end()), renditions.end());
}

void read_outputs(json::Object &root, std::vector<std::string> &outputs) {
  constexpr std::array<std::string_view, 2> kNow{"html", "json"};
  constexpr std::array<std::string_view, 3> kLater{"csv", "junit", "jsonl"};
  for (const auto &item : root.array("outputs", 16)) {
    const auto text = item.text(32);
    if (!text) continue;
    if (std::find(kLater.begin(), kLater.end(), *text) != kLater.end()) {
      item.fault("\"" + *text + "\" is not available yet; html and json are");
    } else if (std::find(kNow.begin(), kNow.end(), *text) == kNow.end()) {
      item.fault(unknown_text("output", *text, kNow));
    } else {
      outputs.push_back(*text);
    }
  }
}

}  // namespace avc::scenario
