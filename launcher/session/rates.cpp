#include "launcher/session/rates.hpp"

#include "core/stats/mos.hpp"

namespace avc::session {
namespace {

using results::Media;
using results::ParticipantSnapshot;

ParticipantRates sent_rates(const ParticipantSnapshot &before, const ParticipantSnapshot &now) {
  ParticipantRates rates;
  double packets = 0, dropped = 0;
  for (const Media media : results::kAllMedia) {
    const auto &late = now.sent_of(media), &early = before.sent_of(media);
    const auto taken = [](const results::SenderCounters &c) { return c.lost + c.queue_dropped; };
    packets += static_cast<double>(late.packets - early.packets);
    dropped += static_cast<double>(taken(late) - taken(early));
    if (media != Media::audio || late.packets == early.packets) continue;
    const double loss =
        100.0 * static_cast<double>(taken(late) - taken(early)) / static_cast<double>(late.packets - early.packets);
    rates.mos_score = stats::mos({.loss_percent = loss});
  }
  rates.loss_percent = packets > 0 ? 100 * dropped / packets : 0;
  return rates;
}

ParticipantRates received_rates(const ParticipantSnapshot &before, const ParticipantSnapshot &now) {
  ParticipantRates rates;
  const auto video = now.received_of(Media::video) - before.received_of(Media::video);
  const auto audio = now.received_of(Media::audio) - before.received_of(Media::audio);
  auto both = video;
  both += audio;
  rates.loss_percent = both.loss_percent();
  rates.jitter_ms = both.mean_jitter_ms();
  if (audio.packets_expected > 0) rates.mos_score = audio.mos();
  return rates;
}

}  // namespace

std::vector<ParticipantRates> rates_between(std::span<const ParticipantSnapshot> before,
                                            std::span<const ParticipantSnapshot> now, double seconds,
                                            bool has_receiver) {
  std::vector<ParticipantRates> all;
  const ParticipantSnapshot nothing;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const ParticipantSnapshot &early = i < before.size() ? before[i] : nothing;
    ParticipantRates rates = has_receiver ? received_rates(early, now[i]) : sent_rates(early, now[i]);
    rates.id = now[i].id;
    std::uint64_t bytes = 0;
    for (const Media media : results::kAllMedia) bytes += now[i].sent_of(media).bytes - early.sent_of(media).bytes;
    rates.kbps = seconds > 0 ? static_cast<double>(bytes) * 8 / 1000 / seconds : 0;
    all.push_back(rates);
  }
  return all;
}

ParticipantRates summary(std::span<const ParticipantRates> rates) {
  ParticipantRates sum;
  double sending = 0, speaking = 0;
  for (const ParticipantRates &one : rates) {
    sum.kbps += one.kbps;
    if (one.kbps > 0) {
      ++sending;
      sum.loss_percent += one.loss_percent;
      sum.jitter_ms += one.jitter_ms;
    }
    if (one.mos_score > 0) {
      ++speaking;
      sum.mos_score += one.mos_score;
    }
  }
  if (sending > 0) sum.loss_percent /= sending;
  if (sending > 0) sum.jitter_ms /= sending;
  if (speaking > 0) sum.mos_score /= speaking;
  return sum;
}

}  // namespace avc::session
