// A call in virtual time: a sender of frames and audio, the project's own link, a receiver that answers with
// transport-wide feedback ten times a second (as bytes), and the estimator. The same call every time.
#pragma once

#include <deque>
#include <queue>

#include "core/net/link.hpp"
#include "core/rate/bandwidth_estimator.hpp"
#include "core/rate/send_history.hpp"
#include "tests/check.hpp"

namespace avc::test {

class Call {
 public:
  struct Video {
    double fps = 30;
    double keyframe = 1;  // times as large as other frames, one a second
    bool paced = true;    // a frame's packets evenly over its time, or all at once
  };
  // The video's bit rate, given the time and the estimate.
  using Rate = std::function<double(Instant, double)>;

  struct Moment {
    Instant at;
    double estimate_kbps, queue_ms;
  };

  Call(const rate::BandwidthEstimator::Settings &settings, const net::Impairment &link, const Video &video, Rate rate,
       std::uint64_t seed = 1)
      : estimator(settings), link_(Rng(seed)), video_(video), rate_(std::move(rate)) {
    link_.set_base(link, {});
  }

  void set_link(const net::Impairment &link) { link_.set_base(link, now_); }
  void run(Nanos span) {
    for (const Instant end = now_ + span; now_ < end; now_ = now_ + kTick) tick();
  }
  void run_until(Nanos time) { run(Instant{time} - now_); }

  Instant now() const { return now_; }
  const std::vector<Moment> &moments() const { return moments_; }

  // Of what was sampled (every 100 ms) between two times.
  double mean_kbps(Nanos from, Nanos to) const {
    double sum = 0, count = 0;
    for (const Moment &moment : between(from, to)) sum += moment.estimate_kbps, ++count;
    return sum / count;
  }
  double share_kbps(Nanos from, Nanos to, double low, double high) const {
    double inside = 0, count = 0;
    for (const Moment &moment : between(from, to))
      inside += moment.estimate_kbps >= low && moment.estimate_kbps <= high, ++count;
    return inside / count;
  }
  double queue_ms(Nanos from, Nanos to, double quantile) const {
    std::vector<double> queues;
    for (const Moment &moment : between(from, to)) queues.push_back(moment.queue_ms);
    std::ranges::sort(queues);
    return queues[static_cast<std::size_t>(quantile * static_cast<double>(queues.size() - 1))];
  }
  // Seconds from `from` on until the estimate is at most, at least `kbps`; 1e9: never.
  double until_at_most(Nanos from, double kbps) const {
    return until(from, [=](double estimate) { return estimate <= kbps; });
  }
  double until_at_least(Nanos from, double kbps) const {
    return until(from, [=](double estimate) { return estimate >= kbps; });
  }

  rate::BandwidthEstimator estimator;

 private:
  static constexpr Nanos kTick = std::chrono::milliseconds(1), kFeedback = 100 * kTick, kReturn = 10 * kTick;
  static constexpr std::size_t kPayload = 1152, kHeaders = 20, kAudio = 140;
  // The receiver's clock: the reference time wraps 30 s into the call.
  static constexpr Nanos kOffset = (1 << 24) * rtp::TransportFeedback::kReferenceStep - std::chrono::seconds(30);

  struct Pending {
    Instant at;
    net::Stream stream;
    std::size_t bytes;
    bool operator>(const Pending &other) const { return at > other.at; }
  };

  std::vector<Moment> between(Nanos from, Nanos to) const {
    std::vector<Moment> out;
    std::ranges::copy_if(moments_, std::back_inserter(out),
                         [&](const Moment &moment) { return moment.at >= Instant{from} && moment.at < Instant{to}; });
    return out;
  }
  double until(Nanos from, const std::function<bool(double)> &holds) const {
    for (const Moment &moment : moments_)
      if (moment.at >= Instant{from} && holds(moment.estimate_kbps)) return to_seconds(moment.at - Instant{from});
    return 1e9;
  }

  void tick() {
    if (now_ >= next_frame_) make_frame();
    if (now_ >= next_audio_) {
      pending_.push({next_audio_, net::Stream::audio, kAudio});
      next_audio_ = next_audio_ + 20 * kTick;
    }
    while (!pending_.empty() && pending_.top().at <= now_) {
      send(pending_.top());
      pending_.pop();
    }
    if (now_.since_origin % kFeedback == Nanos(0)) {
      write_feedback();
      moments_.push_back({now_, estimator.kbps(), std::exchange(queued_ms_, 0)});
    }
    while (!feedback_.empty() && feedback_.front().first <= now_) {
      read_feedback(feedback_.front().second);
      feedback_.pop_front();
    }
  }

  void make_frame() {
    const double mean = rate_(now_, estimator.kbps()) * 1000 / 8 / video_.fps;
    const auto per_second = static_cast<std::uint64_t>(video_.fps);
    const double other = mean * video_.fps / (video_.fps - 1 + video_.keyframe);
    const auto bytes = static_cast<std::size_t>(frame_++ % per_second == 0 ? other * video_.keyframe : other) + 1;
    const std::size_t packets = (bytes + kPayload - 1) / kPayload;
    const Nanos interval = from_seconds(1 / video_.fps);
    for (std::size_t i = 0; i < packets; ++i) {
      const Instant at =
          next_frame_ + (video_.paced ? interval * static_cast<int>(i) / static_cast<int>(packets) : Nanos{});
      pending_.push({at, net::Stream::video, bytes / packets + kHeaders});
    }
    next_frame_ = next_frame_ + interval;
  }

  void send(const Pending &packet) {
    const auto number = sent_++;
    history_.sent(static_cast<std::uint16_t>(number), packet.at, packet.bytes);
    const auto verdict =
        link_.admit({.stream = packet.stream, .n = number, .bytes = packet.bytes, .header_bytes = kHeaders}, packet.at);
    const auto *send = std::get_if<net::Send>(&verdict);
    arrivals_.push_back(send ? std::optional(send->at) : std::nullopt);
    if (send) queued_ms_ = std::max(queued_ms_, to_ms(send->queued));
  }

  // Of all from the first not told of to the last that arrived.
  void write_feedback() {
    std::vector<std::optional<Instant>> told;
    std::size_t last = 0;
    for (std::size_t i = 0; i < arrivals_.size(); ++i) {
      const bool arrived = arrivals_[i] && *arrivals_[i] <= now_;
      told.push_back(arrived ? std::optional(*arrivals_[i] + kOffset) : std::nullopt);
      if (arrived) last = i + 1;
    }
    told.resize(last);
    for (std::span<const std::optional<Instant>> rest(told); !rest.empty();) {
      std::vector<std::uint8_t> bytes(1200);
      const auto base = static_cast<std::uint16_t>(sent_ - arrivals_.size());
      const auto written = rtp::write_transport_feedback(bytes, {1, 2, base, feedback_count_++}, rest);
      ck_assert_uint_gt(written.packets, 0);
      bytes.resize(written.bytes);
      feedback_.emplace_back(now_ + kReturn, std::move(bytes));
      rest = rest.subspan(written.packets);
      arrivals_.erase(arrivals_.begin(), arrivals_.begin() + static_cast<std::ptrdiff_t>(written.packets));
    }
  }

  void read_feedback(rtp::Bytes bytes) {
    rtp::RtcpReader reader(bytes);
    results_.clear();
    history_.results(*rtp::read_transport_feedback(*reader.next()), results_);
    estimator.feedback(results_, now_);
  }

  net::Link link_;
  Video video_;
  Rate rate_;
  rate::SendHistory history_;
  Instant now_{}, next_frame_{}, next_audio_{};
  std::uint64_t frame_ = 0, sent_ = 0;
  std::uint8_t feedback_count_ = 0;
  std::priority_queue<Pending, std::vector<Pending>, std::greater<>> pending_;
  std::deque<std::optional<Instant>> arrivals_;  // of what was sent and not told of
  std::deque<std::pair<Instant, std::vector<std::uint8_t>>> feedback_;
  std::vector<rate::PacketResult> results_;
  std::vector<Moment> moments_;
  double queued_ms_ = 0;
};

}  // namespace avc::test
