#include "elements/tagger/spikes.hpp"

#include <utility>

#include "elements/support/clock.hpp"

namespace avc::tagger {
namespace {

// Whole seconds apart from the rest, so that no sum of jumps leaves the range.
std::uint32_t ticks(Nanos time, std::uint32_t clock_rate) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t rate = clock_rate, seconds = time.count() / kSecond, rest = time.count() % kSecond;
  const std::int64_t half = rest < 0 ? -kSecond / 2 : kSecond / 2;
  return static_cast<std::uint32_t>(seconds * rate + (rest * rate + half) / kSecond);
}

}  // namespace

void Spikes::tell(const SpikeStart &start) {
  const auto effect = spike::effect_of(start.type, start.params);
  if (!effect || effect->tagger == spike::TaggerEffect{}) return;
  tell({start.id, to_instant(start.start), to_instant(start.end), effect->tagger});
}

void Spikes::tell(const SpikeEnd &end) { tell({end.id, to_instant(end.at)}); }

void Spikes::tell(Word word) {
  auto words = words_.lock();
  words->push_back(std::move(word));
  told_ = true;
}

void Spikes::restart() {
  words_.lock()->clear();
  told_ = false;
  changes_ = {};
  effects_ = {};
}

std::optional<Spikes::Change> Spikes::take_due(Instant now) {
  if (told_) {
    std::vector<Word> words;
    {
      auto shared = words_.lock();
      words.swap(*shared);
      told_ = false;
    }
    for (Word &word : words) {
      if (word.effect)
        changes_.start(word.id, word.at, word.end, *word.effect);
      else
        changes_.end(word.id, word.at);
    }
  }
  return changes_.take_due(now);
}

void Spikes::carry_out(const Change &change, Instant now) {
  if (!change.effect) {
    effects_.remove(change.id);
    return;
  }
  // Who joins a flood late makes up for none of it.
  effects_.put(change.id, *change.effect, now - change.at > spike::kFloodBurst ? now : change.at);
}

Shift Spikes::shift(net::Stream stream, std::uint32_t clock_rate) const {
  const spike::HeaderShift &shift = effects_.shift(stream);
  return {shift.ssrc, ticks(shift.timestamp, clock_rate), shift.sequence};
}

}  // namespace avc::tagger
