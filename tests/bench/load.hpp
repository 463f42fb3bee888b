// The load of performance measurements: participants with 720p30 video of 2.4 Mbit/s (nine packets a frame, eight full
// ones and an end whose size differs from frame to frame) and 50 audio packets of equal size a second, 320 packets a
// second each. Headers are a participant's own, payloads come from one clip that all share, as in avchaossrc.
#pragma once

#include <sys/resource.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/rtp/extension.hpp"
#include "core/rtp/header.hpp"
#include "core/time.hpp"

namespace avc::bench {

inline constexpr std::size_t kHeader = 20, kFull = 1152, kAudio = 160, kFramePackets = 9;
inline constexpr int kMaxParticipants = 4000;
inline constexpr double kMaxSeconds = 30;

struct Packet {
  std::array<std::uint8_t, kHeader> header;
  const std::uint8_t *payload;
  std::size_t payload_bytes;
  bool marker;
};

class Load {
 public:
  explicit Load(int participants) : people_(static_cast<std::size_t>(std::clamp(participants, 1, kMaxParticipants))) {
    for (std::size_t i = 0; i < clip_.size(); ++i) clip_[i] = static_cast<std::uint8_t>(i * 131 >> 3);
    for (std::size_t i = 0; i < people_.size(); ++i) {
      // Spread, so that no two frames of different participants coincide by design.
      people_[i].next_frame = Nanos(static_cast<std::int64_t>(i * 33'333'333 / people_.size()));
      people_[i].next_audio = Nanos(static_cast<std::int64_t>(i * 20'000'000 / people_.size()));
    }
  }

  // Everything due by `now`: emit(participant, packets) for each frame and each audio packet.
  template <class Emit>
  void due(Nanos now, Emit emit) {
    for (std::size_t i = 0; i < people_.size(); ++i) {
      Person &person = people_[i];
      while (person.next_frame <= now) {
        frame(i, person);
        emit(i, std::span<const Packet>(packets_));
        person.next_frame += Nanos(33'333'333);
      }
      while (person.next_audio <= now) {
        packets_[0] = packet(i, false, person);
        emit(i, std::span<const Packet>(packets_).first(1));
        person.next_audio += Nanos(20'000'000);
      }
    }
  }
  std::size_t participants() const { return people_.size(); }
  // What was due goes by unsent: the clock starts anew at `now`.
  void restart(Nanos now) {
    for (Person &person : people_) {
      while (person.next_frame < now) person.next_frame += Nanos(33'333'333);
      while (person.next_audio < now) person.next_audio += Nanos(20'000'000);
    }
  }

 private:
  struct Person {
    Nanos next_frame{}, next_audio{};
    std::uint16_t video = 0, audio = 0;
    std::uint32_t frame = 0;
  };

  Packet packet(std::size_t i, bool video, Person &person) {
    Packet made;
    const auto id = static_cast<std::uint32_t>(1001 + i);
    const std::uint16_t sequence = video ? person.video++ : person.audio++;
    rtp::write_fixed_header(std::span(made.header).first<12>(),
                            {.payload_type = static_cast<std::uint8_t>(video ? 96 : 111),
                             .extension = true,
                             .sequence = sequence,
                             .timestamp = video ? person.frame * 3000 : sequence * 960u,
                             .ssrc = id * 1000 + (video ? 0 : 1)});
    rtp::write_participant_extension(std::span(made.header).subspan<12, 8>(), id);
    made.payload = clip_.data() + (person.frame % 60) * 16384;
    made.payload_bytes = kAudio;
    made.marker = false;
    return made;
  }
  void frame(std::size_t i, Person &person) {
    for (std::size_t n = 0; n < kFramePackets; ++n) {
      Packet &made = packets_[n] = packet(i, true, person);
      made.payload += n * kFull;
      made.payload_bytes = n + 1 < kFramePackets ? kFull : 100 + (i * 37 + person.frame * 101) % 1000;
      made.marker = n + 1 == kFramePackets;
      if (made.marker) rtp::set_marker(made.header, true);
    }
    ++person.frame;
  }

  std::vector<Person> people_;
  std::vector<std::uint8_t> clip_ = std::vector<std::uint8_t>(60 * 16384 + 16384);
  std::array<Packet, kFramePackets> packets_;
};

// CPU time of the calling thread or process, in seconds.
inline double cpu_seconds(int who) {
  rusage used{};
  getrusage(who, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

inline Nanos steady() { return std::chrono::steady_clock::now().time_since_epoch(); }

// Calls turn(time since the start) once a millisecond for `seconds`.
template <class Turn>
void each_millisecond(double seconds, Turn turn) {
  const Nanos start = steady(), end = start + from_seconds(std::min(seconds, kMaxSeconds));
  for (Nanos next = start; next < end; next = std::max(next + from_ms(1), steady())) {
    std::this_thread::sleep_for(next - steady());
    turn(steady() - start);
  }
}

// `--name=value` of the command line.
inline double option(int argc, char **argv, const std::string &name, double otherwise) {
  const std::string start = "--" + name + "=";
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]).starts_with(start)) return std::atof(argv[i] + start.size());
  }
  return otherwise;
}

}  // namespace avc::bench
