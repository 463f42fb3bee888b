// Who a simulated participant is on the wire, and the lives of a participant and of a test: which state may follow
// which. The numbers are those of the old tool, whose receivers know them.
#pragma once

#include <cstdint>
#include <string_view>

namespace avc::participant {

inline constexpr std::uint32_t kFirstId = 1001;
inline constexpr std::uint8_t kVideoPayloadType = 96;   // H.264, 90 kHz
inline constexpr std::uint8_t kAudioPayloadType = 111;  // Opus, 48 kHz

struct Identity {
  std::uint32_t id = 0;
  std::uint32_t video_ssrc = 0, audio_ssrc = 0;
  std::uint8_t video_payload_type = kVideoPayloadType, audio_payload_type = kAudioPayloadType;

  friend bool operator==(const Identity &, const Identity &) = default;
};

// SSRCs are id * 1000 and id * 1000 + 1, wrapping at 32 bits.
Identity identity_of(std::uint32_t id);

enum class State : std::uint8_t { created, preparing, connecting, running, lost, failed, left, stopped };
std::string_view name(State state);
bool may_follow(State from, State to);
bool is_over(State state);  // no state follows

// A test: created -> running -> stopping -> stopped, or failed on the way. A test that never ran may stop at once.
enum class TestState : std::uint8_t { created, running, stopping, stopped, failed };
std::string_view name(TestState state);
bool may_follow(TestState from, TestState to);
bool is_over(TestState state);

}  // namespace avc::participant
