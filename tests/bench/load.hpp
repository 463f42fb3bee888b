// The load of performance measurements: participants with video frames of several packets and 50 audio packets a
// second. What a clip is made of (the sizes of its packets) is read from a file, so that a bare loop sends exactly what
// a pipeline sends; without one it is 720p30 of 2.4 Mbit/s in nine packets a frame, eight full ones and an end whose
// size differs from frame to frame, 320 packets a second. Headers are a participant's own, payloads come from one clip
// that all share, as in avchaossrc, and participants are spread over its length.
#pragma once

#include <sys/resource.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <sstream>
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

// Payload sizes of every packet of a clip, frame by frame, and of its audio packets.
struct Clip {
  std::vector<std::vector<std::uint16_t>> frames;
  std::vector<std::uint16_t> audio;

  static Clip invented() {
    Clip made{{}, {kAudio}};
    for (std::size_t n = 0; n < 60; ++n) {
      made.frames.emplace_back(kFramePackets, static_cast<std::uint16_t>(kFull));
      made.frames.back().back() = static_cast<std::uint16_t>(100 + n * 101 % 1000);
    }
    return made;
  }
  // A line per frame, "v SIZE SIZE ...", and per audio packet, "a SIZE"; empty where that is not what is in the file.
  static Clip read(const std::string &path) {
    Clip made;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string kind;
      words >> kind;
      std::vector<std::uint16_t> sizes;
      for (std::uint16_t size; words >> size;) sizes.push_back(std::min<std::uint16_t>(size, kFull));
      if (sizes.empty() || (kind != "v" && kind != "a")) return {};
      if (kind == "v") {
        made.frames.push_back(std::move(sizes));
      } else {
        made.audio.push_back(sizes.front());
      }
    }
    return made;
  }
  bool empty() const { return frames.empty() || audio.empty(); }
};

class Load {
 public:
  explicit Load(int participants, Clip clip = Clip::invented())
      : people_(static_cast<std::size_t>(std::clamp(participants, 1, kMaxParticipants))), clip_(std::move(clip)) {
    std::size_t bytes = 0;
    for (const auto &frame : clip_.frames) {
      starts_.push_back(bytes);
      for (const auto size : frame) bytes += size;
    }
    bytes_.resize(bytes + kFull);
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::uint8_t>(i * 131 >> 3);
    for (std::size_t i = 0; i < people_.size(); ++i) {
      // Spread, so that no two frames of different participants coincide by design.
      people_[i].next_frame = Nanos(static_cast<std::int64_t>(i * 33'333'333 / people_.size()));
      people_[i].next_audio = Nanos(static_cast<std::int64_t>(i * 20'000'000 / people_.size()));
      people_[i].first_frame = i * clip_.frames.size() / people_.size();
    }
  }

  // Everything due by `now`: emit(participant, packets) for each frame and each audio packet.
  template <class Emit>
  void due(Nanos now, Emit emit) {
    for (std::size_t i = 0; i < people_.size(); ++i) {
      Person &person = people_[i];
      while (person.next_frame <= now) {
        due_at_ = person.next_frame;
        frame(i, person);
        emit(i, std::span<const Packet>(packets_));
        person.next_frame += Nanos(33'333'333);
      }
      while (person.next_audio <= now) {
        due_at_ = person.next_audio;
        packets_.assign(1, packet(i, false, person));
        emit(i, std::span<const Packet>(packets_));
        person.next_audio += Nanos(20'000'000);
      }
    }
  }
  Nanos due_at() const { return due_at_; }  // of what is being emitted
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
    std::size_t first_frame = 0;
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
    made.payload = bytes_.data();
    made.payload_bytes = clip_.audio[sequence % clip_.audio.size()];
    made.marker = false;
    return made;
  }
  void frame(std::size_t i, Person &person) {
    const std::size_t n = (person.first_frame + person.frame) % clip_.frames.size();
    std::size_t at = starts_[n];
    packets_.clear();
    for (const auto size : clip_.frames[n]) {
      Packet &made = packets_.emplace_back(packet(i, true, person));
      made.payload = bytes_.data() + at;
      made.payload_bytes = size;
      at += size;
    }
    packets_.back().marker = true;
    rtp::set_marker(packets_.back().header, true);
    ++person.frame;
  }

  std::vector<Person> people_;
  Clip clip_;
  std::vector<std::size_t> starts_;  // of each frame in bytes_
  std::vector<std::uint8_t> bytes_;
  std::vector<Packet> packets_;
  Nanos due_at_{};
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

// Calls turn(time since the start) once a millisecond, or in another time, for `seconds`.
template <class Turn>
void each_millisecond(double seconds, Turn turn, Nanos spacing = from_ms(1)) {
  const Nanos start = steady(), end = start + from_seconds(std::min(seconds, kMaxSeconds));
  for (Nanos next = start; next < end; next = std::max(next + spacing, steady())) {
    std::this_thread::sleep_for(next - steady());
    turn(steady() - start);
  }
}

// `--name=value` of the command line.
inline std::string text_option(int argc, char **argv, const std::string &name, const std::string &otherwise) {
  const std::string start = "--" + name + "=";
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]).starts_with(start)) return argv[i] + start.size();
  }
  return otherwise;
}
inline double option(int argc, char **argv, const std::string &name, double otherwise) {
  const std::string text = text_option(argc, argv, name, "");
  return text.empty() ? otherwise : std::atof(text.c_str());
}

}  // namespace avc::bench
