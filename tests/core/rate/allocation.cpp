// Once half a second of packets has been seen, what a sender does for each packet and each feedback allocates nothing.
#include "core/rate/bandwidth_estimator.hpp"
#include "core/rate/rendition_chooser.hpp"
#include "core/rate/send_history.hpp"
#include "tests/check.hpp"
#include "tests/core/counting_new.hpp"

using namespace avc;
using namespace std::chrono_literals;

namespace {

// 300 packets a second, one of ten lost, ten feedbacks a second; allocations of all but what writes the feedback.
class Sender {
 public:
  long seconds(int count) {
    long allocations = 0;
    for (int tenth = 0; tenth < 10 * count; ++tenth) {
      long before = g_allocations;
      for (std::size_t i = 0; i < told_.size(); ++i, ++n_) {
        const Instant at{static_cast<std::int64_t>(n_) * 3333us};
        history_.sent(static_cast<std::uint16_t>(n_), at, 1000);
        told_[i] = n_ % 10 == 0 ? std::nullopt : std::optional(at + 50ms);
      }
      allocations += g_allocations - before;
      const auto base = static_cast<std::uint16_t>(n_ - told_.size());
      const auto written = rtp::write_transport_feedback(bytes_, {1, 2, base, 0}, told_);
      before = g_allocations;
      rtp::RtcpReader reader(rtp::Bytes(bytes_).first(written.bytes));
      results_.clear();
      history_.results(*rtp::read_transport_feedback(*reader.next()), results_);
      const Instant now{static_cast<std::int64_t>(n_) * 3333us + 100ms};
      estimator_.feedback(results_, now);
      chooser_.choose(estimator_.kbps(), now);
      allocations += g_allocations - before;
    }
    return allocations;
  }

 private:
  std::uint64_t n_ = 0;
  std::array<std::optional<Instant>, 30> told_{};
  std::array<std::uint8_t, 1200> bytes_{};
  rate::SendHistory history_;
  rate::BandwidthEstimator estimator_{{.burst_period = 1s}};
  rate::RenditionChooser chooser_{{2500, 1200, 600, 300}, {}};
  std::vector<rate::PacketResult> results_;
};

}  // namespace

START_TEST(packets_and_feedback_allocate_nothing) {
  Sender sender;
  ck_assert_int_gt(sender.seconds(2), 0);  // the window of half a second
  ck_assert_int_eq(sender.seconds(60), 0);
}
END_TEST

AVC_TESTS("rate allocation", packets_and_feedback_allocate_nothing)
