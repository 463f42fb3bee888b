// A sink on a shared socket, in two parts: what is looked up once for a push (Path), and what every packet of it needs
// when it leaves (Exit). Packets that become due together belong to as many sinks as there are packets, so all exits
// of a socket lie together in large pages, a cache line each, and the wheel says which one a packet leaves by.
//
// All fields are under the socket's lock but for those that never change and those that are atomic.
#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "core/runtime/batch_sender.hpp"
#include "core/runtime/guarded.hpp"
#include "core/runtime/large_pages.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/udpsink/outlet.hpp"
#include "elements/udpsink/target.hpp"

namespace avc::udpsink {

// A packet that waits for its time. One of a frame has with it what it is made of: nothing else has to be in the
// processor's caches when its time comes.
struct Parked {
  // In place of a number in a list, of a frame: as it is, and with the type of service that its push has.
  static constexpr std::uint32_t kOfFrame = 0xffffffff, kOfMarkedFrame = 0xfffffffe;

  std::uint32_t held;    // which push it belongs to
  std::uint32_t packet;  // which one of the list that was held; or the above, and then:
  std::uint32_t exit;
  std::uint16_t payload_bytes, header_bytes;
  const std::uint8_t *payload;
  std::array<std::uint8_t, FramePacket::kHeaderRoom> header;

  // One of a frame as the wheel takes it.
  static std::array<std::uint64_t, 7> words_of(std::uint32_t held, bool marked, std::uint32_t exit,
                                               const RtpFrame &frame, guint packet);
};
static_assert(sizeof(Parked) == 56);  // with its time a cache line

static_assert(offsetof(Parked, held) == 0 && offsetof(Parked, packet) == 4 && offsetof(Parked, exit) == 8 &&
              offsetof(Parked, payload_bytes) == 12 && offsetof(Parked, header_bytes) == 14 &&
              offsetof(Parked, payload) == 16 && offsetof(Parked, header) == 24);

inline std::array<std::uint64_t, 7> Parked::words_of(std::uint32_t held, bool marked, std::uint32_t exit,
                                                     const RtpFrame &frame, guint packet) {
  static_assert(std::endian::native == std::endian::little);
  const auto payload = frame.payload(packet);
  const std::uint64_t sizes = std::min<std::size_t>(payload.size(), 0xffff) | std::uint64_t{frame.header_bytes} << 16;
  const auto header = std::bit_cast<std::array<std::uint64_t, 4>>(frame.packets[packet].header);
  return {held | std::uint64_t{marked ? kOfMarkedFrame : kOfFrame} << 32,
          exit | sizes << 32,
          reinterpret_cast<std::uintptr_t>(payload.data()),
          header[0],
          header[1],
          header[2],
          header[3]};
}

struct Path;

struct alignas(64) Exit {
  struct Numbers {  // the sender's, for an end's addresses
    std::uint32_t rtp = 0, rtcp = 0;
  };

  runtime::BatchSender::Lane lane;
  Sent sent;
  Numbers end;  // the first, which mostly is the only one
  std::uint32_t parked = 0;
  std::int16_t type_of_service = -1;  // of the last packet
  bool only = true;                   // there are no other ends
  bool tell = false;                  // the outlet wants to know when nothing is parked
  Path *path = nullptr;               // whose it is
};
static_assert(sizeof(Exit) == 64);

// Those of a socket, under its lock but for give_back(), which any thread may call.
class Exits {
 public:
  std::uint32_t get();
  void give_back(std::uint32_t number, Exit &exit);
  Exit &operator[](std::uint32_t number) { return exits_[number]; }

 private:
  runtime::PagedStore<Exit> exits_;
  Guarded<std::vector<std::uint32_t>> free_;
};

struct Path {
  static constexpr std::uint32_t kNone = 0xffffffff;

  Path(std::shared_ptr<Exits> all, std::shared_ptr<Outlet> to);
  ~Path();
  Path(const Path &) = delete;
  Path &operator=(const Path &) = delete;

  const std::shared_ptr<Exits> exits;
  const std::shared_ptr<Outlet> outlet;
  const std::uint32_t number;  // of its exit
  Exit &exit;

  bool open = true;  // else nothing is taken
  std::vector<Exit::Numbers> others;
  std::uint32_t owner_held = kNone;  // what keeps the payloads of the frames that came last
  std::shared_ptr<const Target> target;
  Instant base_time{};  // of the sink's running time, on the context's clock
  Nanos spread{};       // over which the packets of a list are paced
  using KeepsTimes = bool (*)(const runtime::Address &);
  KeepsTimes keeps_times = nullptr;
  bool by_kernel = false;  // which is told when they leave, and keeps it; else they are parked
  Instant last_paced{};    // what is parked for pacing must not be overtaken; counts while something is parked, or
                           // leaves later
  std::array<std::uint32_t, 4> known_ssrcs{};  // whose reports are the outlet's already
  std::size_t known = 0;
  std::vector<std::pair<Instant, Parked>> kept;  // parked while paused; the times are running times
};

}  // namespace avc::udpsink
