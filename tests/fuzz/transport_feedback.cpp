// A receiver that tells a sender anything it likes: whatever the feedback says, the estimate is a number within its
// bounds, and a rendition is chosen. The input is datagrams, each with a byte before it for its length in words; before
// each one ten packets are sent.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "core/rate/bandwidth_estimator.hpp"
#include "core/rate/rendition_chooser.hpp"
#include "core/rate/send_history.hpp"

using namespace avc;
using namespace std::chrono_literals;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

struct Sender {
  rate::SendHistory history{256};
  rate::BandwidthEstimator estimator;
  rate::RenditionChooser chooser{{2500, 1200, 600, 300}, {}};
  std::vector<rate::PacketResult> results;
  Instant now{};
  std::uint16_t sequence = 0xffe0;

  explicit Sender(Nanos burst_period) : estimator({.burst_period = burst_period}) {}

  void send() {
    for (int i = 0; i < 10; ++i, now = now + 10ms) history.sent(sequence++, now, 1000);
  }
  void hear(rtp::Bytes datagram) {
    rtp::RtcpReader reader(datagram);
    while (const auto packet = reader.next()) {
      if (const auto feedback = rtp::read_transport_feedback(*packet)) {
        results.clear();
        history.results(*feedback, results);
        demand(results.size() <= feedback->packets);
        estimator.feedback(results, now);
      }
      const auto feedback = rtp::read_feedback(*packet);
      if (packet->kind == rtp::RtcpKind::remb && feedback)
        estimator.remb(static_cast<double>(rtp::remb_bits_per_second(*feedback).value_or(0)) / 1000);
    }
    const double kbps = estimator.kbps();
    demand(std::isfinite(kbps) && kbps >= 50 && kbps <= 50'000);
    demand(chooser.choose(kbps, now) < 4);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Sender paced{0s}, floored{1s};
  for (std::span<const std::uint8_t> rest(data, size); !rest.empty();) {
    const std::size_t length = std::min<std::size_t>(4u * rest[0], rest.size() - 1);
    const std::vector<std::uint8_t> datagram(rest.begin() + 1, rest.begin() + 1 + static_cast<std::ptrdiff_t>(length));
    for (Sender *sender : {&paced, &floored}) {
      sender->send();
      sender->hear(datagram);
    }
    rest = rest.subspan(1 + length);
  }
  return 0;
}
