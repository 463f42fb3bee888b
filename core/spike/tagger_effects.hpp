// What the spikes in force ask of one participant's packets on their way through participanttagger.
//
// Jumps add up, modulo what their fields hold. SSRC changes count: with n of them in force a stream's SSRC is the
// original one plus 10 n, which stays within the participant's thousand. Absence is absence. Floods are separate and
// each keeps its own rate. Each spike ends alone and leaves what the others ask.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/packet.hpp"
#include "core/spike/effect.hpp"
#include "core/time.hpp"

namespace avc::spike {

inline constexpr std::uint32_t kSsrcStep = 10;  // from one SSRC to that of one more change
inline constexpr std::uint32_t kFloodSsrc = 2;  // added to the SSRC of video
inline constexpr std::uint8_t kFloodPayloadType = 127;
inline constexpr Nanos kFloodBurst = std::chrono::milliseconds(100);  // so much of a flood is made up for at once

// What becomes of one stream's headers: all of it added to what they were.
struct HeaderShift {
  std::uint32_t ssrc = 0;
  Nanos timestamp{};
  std::uint16_t sequence = 0;

  friend bool operator==(const HeaderShift &, const HeaderShift &) = default;
};

class TaggerEffects {
 public:
  // False, and nothing changes, when the spike is in force already.
  bool put(std::string_view id, const TaggerEffect &effect, Instant at);
  bool remove(std::string_view id);

  bool empty() const { return layers_.empty(); }
  std::size_t size() const { return layers_.size(); }
  bool absent() const { return absent_; }
  bool says_bye() const { return bye_; }  // one of the absences does
  const HeaderShift &shift(net::Stream stream) const { return stream == net::Stream::audio ? audio_ : video_; }

  // Calls make(bytes) for every packet that floods owe up to `now`. After a pause at most kFloodBurst of each is made
  // up for; what is left out beyond that is the answer. Time that was spent absent is not owed.
  template <class Make>
  std::uint64_t flood(Instant now, Make make) {
    std::uint64_t skipped = 0;
    for (Layer &layer : layers_) {
      if (layer.effect.flood_per_second <= 0) continue;
      const Due due = take_due(layer, now);
      skipped += due.skipped;
      for (std::uint64_t i = 0; i < due.packets; ++i) make(layer.effect.flood_bytes);
    }
    return skipped;
  }

 private:
  struct Layer {
    std::string id;
    TaggerEffect effect;
    Instant since;
    std::uint64_t owed_so_far = 0;  // packets made or skipped
  };
  struct Due {
    std::uint64_t packets = 0, skipped = 0;
  };

  Due take_due(Layer &layer, Instant now) const;
  void combine();

  std::vector<Layer> layers_;
  // What the layers come to; worked out when they change, since every packet asks.
  HeaderShift video_, audio_;
  bool absent_ = false, bye_ = false;
};

}  // namespace avc::spike
