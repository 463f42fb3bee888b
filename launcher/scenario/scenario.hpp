// A whole test as a user wrote it: read, checked, defaults filled in. A scenario file, the body of `create`, and the
// old tool's config.json share one set of keys; docs/scenario.md lists them with units, ranges and defaults.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/json/conditions.hpp"
#include "core/participant/participant.hpp"
#include "core/spike/generator.hpp"
#include "core/spike/plan.hpp"
#include "core/spike/spike.hpp"
#include "launcher/scenario/threshold.hpp"

namespace avc::scenario {

struct Video {
  std::uint32_t width = 1280, height = 720;
  double fps = 30;
  std::uint32_t bitrate_kbps = 2500;
  std::string codec = "h264";
};

struct Audio {
  std::uint32_t sample_rate = 48000, channels = 1, bitrate_kbps = 128;
  std::string codec = "opus";
};

// All empty: generated picture and tone, unless the daemon has a clip of its own.
struct Media {
  std::string path;                    // both kinds from one file
  std::string video_path, audio_path;  // each from its own
  double fps = 0;                      // of bare H.264; 0: as the file says
};

struct Target {
  enum class Transport : std::uint8_t {
    udp,
    loopback,
    webrtc,  // nothing but viewers
    whip,    // every participant publishes to an endpoint
  } transport = Transport::udp;
  std::string host = "127.0.0.1";
  std::uint16_t port = 5002;  // 0 with loopback: any that is free
  // of whip; the URL is a template
  std::string url, token, room;
};

// Receive-only participants: so many for each of the others.
struct Subscribers {
  static constexpr std::uint32_t kMost = 500, kMostOfOurOwn = 200;  // of a test; without a WHEP endpoint between
  std::uint32_t count = 0;                                          // of each participant; 0: there are none
  std::string whep_url, token, room;                                // a template; empty: directly
};

struct Scenario {
  std::string test_id;  // empty: the daemon makes one
  std::string description, hypothesis, environment;
  std::map<std::string, std::string> tags;
  std::optional<std::uint64_t> seed;

  std::uint32_t num_participants = 5;
  std::uint32_t first_participant = participant::kFirstId;
  Nanos duration{};  // 0: until stopped
  Nanos ramp{};      // over which participants join, one after the other; 0: all at once

  Video video;
  Audio audio;
  Media media;
  std::vector<std::uint32_t> renditions_kbps;  // empty: one per bitrate that a spike asks for
  std::optional<Target> target;                // none: the daemon's own choice
  Subscribers subscribers;
  std::uint16_t backend_rtp_base_port = 5000;

  std::vector<spike::Spike> spikes;           // as listed; ids are unique
  std::optional<spike::RandomSpikes> random;  // drawn from the seed, besides those listed
  spike::Distribution distribution;
  json::Network network;  // the base condition, without spikes

  std::vector<Threshold> thresholds;
  std::vector<std::string> outputs;  // of "html", "json"
  unsigned contexts = 0;             // threads that serve participants; 0: the daemon's own choice
  bool decision_log = false;         // write every packet's fate
  bool adaptive = true;              // viewers get the rendition that their path carries
  std::string replay_log;            // such a log, whose fates are repeated; empty: none

  std::string base_url;  // for the command line
  double display_interval_seconds = 2;

  std::vector<std::string> warnings;
  std::string text;  // the JSON it was read from, without comments
};

// Unknown keys: an error in a file, a warning in a `create` body, which old clients may fill with anything. Defaults
// differ as they did: 5 participants without end in a body, 50 for 600 s in a file or where `spikes` is an object.
enum class Source : std::uint8_t { create_body, file };

// All faults at once; fields are paths such as "spikes[2].params.loss_percentage".
std::variant<Scenario, std::vector<Error>> parse(std::string_view text, Source source,
                                                 const json::Conditions &conditions = {});

// One spike event, the body of POST .../spike. The offset is read and has no effect there.
struct SpikeRequest {
  spike::Spike spike;
  std::vector<std::string> warnings;
};
std::variant<SpikeRequest, std::vector<Error>> parse_spike(std::string_view text,
                                                           const json::Conditions &conditions = {});

std::vector<std::uint32_t> participant_ids(const Scenario &scenario);

// Running time at which a participant joins; none: there is no ramp. The same whoever else this worker has.
std::optional<Nanos> join_time(const Scenario &scenario, std::uint32_t participant);
double spawn_rate(const Scenario &scenario);  // participants a second; 0: there is no ramp

// The same seed gives the same plan.
spike::Plan plan_of(const Scenario &scenario, std::uint64_t seed);

// Bitrates that the planned spikes ask for, highest first, the test's own in front: what to prepare as renditions.
std::vector<std::uint32_t> renditions_of(const Scenario &scenario, const spike::Plan &plan);

// One participant's streams at full rate, as whoever prepared the media knows them.
struct MediaFacts {
  double packets_per_second = 0;
  double kbps = 0;  // RTP packets, headers included
};
struct Load {
  double packets_per_second = 0, mbit_per_second = 0;
};
Load planned_load(const Scenario &scenario, const MediaFacts &facts);  // when all have joined

struct LoadAt {
  double seconds = 0;
  std::uint32_t participants = 0;
  Load load;
};
// How the load grows to that: at ten steps of the ramp and at its end.
std::vector<LoadAt> ramp_load(const Scenario &scenario, const MediaFacts &facts);
// Of planned spikes that are over before any participant that they address has joined.
std::vector<std::string> ramp_warnings(const Scenario &scenario, const spike::Plan &plan);

}  // namespace avc::scenario
