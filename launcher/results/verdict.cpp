#include "launcher/results/verdict.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/spike/effect.hpp"
#include "launcher/results/shortage.hpp"
#include "launcher/results/text.hpp"

namespace avc::results {
namespace {

std::string plural(std::uint64_t count, const std::string &noun) {
  return grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

std::uint64_t arrived(const RunResult &run) {
  std::int64_t packets = 0;
  for (const auto &participant : run.participants)
    for (const auto &stream : participant.received) packets += stream.packets_received;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(packets, 0));
}

// Some of what it changes is no packet of the stream any more.
bool corrupts_headers(const SpikeRecord &spike) {
  const auto effect = spike::effect_of(spike.plan.spike.type, spike.plan.spike.effective());
  return spike.started_at && effect && effect->link.corrupt_headers && effect->link.corrupt_percent > 0;
}

std::uint64_t made(const RunResult &run) {
  std::uint64_t packets = 0;
  for (const auto &participant : run.participants)
    for (const auto &stream : participant.sent) packets += stream.packets;
  return packets;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) * 100 : 0;
}

// Collects what is to be said; the first decisive finding sets outcome and code.
struct Finding {
  Verdict verdict{.outcome = Outcome::passed, .exit_code = 0};

  void decide(Outcome outcome, int code, std::string reason) {
    if (verdict.outcome == Outcome::passed || verdict.outcome == Outcome::warned) {
      verdict.outcome = outcome;
      verdict.exit_code = code;
      verdict.reasons.insert(verdict.reasons.begin(), std::move(reason));
    } else {
      note(std::move(reason));
    }
  }
  void warn(std::string reason, bool strict) {
    if (verdict.outcome == Outcome::passed) {
      verdict.outcome = Outcome::warned;
      verdict.exit_code = strict ? 98 : 0;
    }
    note(std::move(reason));
  }
  void note(std::string reason) { verdict.reasons.push_back(std::move(reason)); }
};

void judge_arrival(const RunResult &run, Finding &finding) {
  if (!made(run))
    finding.decide(Outcome::invalid, 107, "nothing was sent");
  else if (run.facts.has_receiver && !arrived(run))
    finding.decide(Outcome::invalid, 107, "nothing arrived at the receiver");
  else if (!run.subscribers.empty() && std::none_of(run.subscribers.begin(), run.subscribers.end(),
                                                    [](const SubscriberSnapshot &one) { return one.seen(); }))
    finding.decide(Outcome::invalid, 107, "nothing arrived at any subscriber: " + run.subscribers.front().reason);
}

void judge_generator(const RunResult &run, Finding &finding) {
  const auto &generator = run.generator;
  if (generator.late_p99_ms > kLateLimitMs)
    finding.decide(Outcome::invalid, 110,
                   "the generator was overloaded: 1 % of its deadlines were missed by " +
                       number(generator.late_p99_ms, 1) + " ms or more (limit " + number(kLateLimitMs) + " ms); " +
                       late_because(generator));
  const auto lost_here = [&](std::uint64_t packets, const std::string &what) {
    if (!packets) return;
    const std::string text = plural(packets, "packet") + " " + what;
    if (share(packets, std::max(generator.packets_sent, made(run))) > kOwnLossLimitPercent)
      finding.decide(Outcome::invalid, 110, "the generator was overloaded: " + text);
    else
      finding.note(text + "; that is this machine's doing, not the network's");
  };
  lost_here(generator.send_errors, "could not be sent (" + refused_because(generator) + ")");
  lost_here(generator.receiver_kernel_drops,
            "overflowed the receiver's own socket buffer (doctor says how to enlarge it)");
}

void judge_end(const RunResult &run, Finding &finding) {
  const std::string after = number(run.duration_seconds, 1) + " of " + number(run.facts.planned_seconds, 1) + " s";
  const std::string detail = run.end_detail.empty() ? "" : ": " + run.end_detail;
  switch (run.ended) {
    case EndReason::completed:
    case EndReason::failed_to_start:
      break;  // the latter was decided before anything else
    case EndReason::aborted:
      finding.note("ended after " + after + " by abort_on_fail");  // the threshold decides
      break;
    case EndReason::stopped:
      finding.decide(Outcome::invalid, 103, "stopped over REST after " + after + detail);
      break;
    case EndReason::signal:
      finding.decide(Outcome::invalid, 105, "stopped by a signal after " + after + detail);
      break;
    case EndReason::failed:
      finding.decide(Outcome::invalid, 1, "failed after " + after + detail);
      break;
    case EndReason::interrupted:
      finding.decide(Outcome::invalid, 1, "the daemon ended while the test ran; the record stops at " + after);
      break;
  }
}

void judge_thresholds(const RunResult &run, Finding &finding) {
  for (const auto &threshold : run.thresholds)
    if (!threshold.ok && threshold.severity == Severity::fail) finding.decide(Outcome::failed, 99, threshold.text);
  for (const auto &threshold : run.thresholds)
    if (!threshold.ok && threshold.severity == Severity::warn) finding.warn(threshold.text, run.facts.strict);
}

// What every run should show. Fails it only where the user has said nothing about what should.
void judge_media(const RunResult &run, Finding &finding) {
  const auto report = [&](std::string reason) {
    if (run.thresholds.empty())
      finding.decide(Outcome::failed, 99, std::move(reason));
    else
      finding.warn(std::move(reason), run.facts.strict);
  };
  std::uint64_t failed = 0, silent = 0;
  for (const auto &participant : run.participants) {
    failed += participant.state == ParticipantState::failed;
    silent += run.facts.has_receiver && participant.joined && !participant.seen();
  }
  if (failed) report(plural(failed, "participant") + " failed");
  std::uint64_t unfed = 0;
  for (const auto &subscriber : run.subscribers) unfed += subscriber.failed || !subscriber.seen();
  if (unfed) report(plural(unfed, "subscriber") + " got no media or failed");
  if (silent) report("no media arrived from " + plural(silent, "participant"));
  const std::uint64_t own = run.generator.send_errors + run.generator.receiver_kernel_drops;
  const std::uint64_t unexplained = unexplained_losses(run);
  if (unexplained > own) report(plural(unexplained - own, "packet") + " went missing on the way that no chaos took");
}

}  // namespace

// Holes in the sequence numbers tell, but spikes make some of their own (a jump, an absence, another SSRC): no more is
// missing than was put into the link and did not arrive, be it with a number that was there before.
std::uint64_t unexplained_losses(const RunResult &run) {
  std::uint64_t packets = 0;
  const bool headers = std::any_of(run.spikes.begin(), run.spikes.end(), corrupts_headers);
  for (const auto &participant : run.participants)
    for (const auto media : kAllMedia) {
      const auto &sent = participant.sent_of(media);
      const auto taken = static_cast<std::int64_t>(sent.lost + sent.queue_dropped + (headers ? sent.corrupted : 0));
      const auto &received = participant.received_of(media);
      const auto absent = static_cast<std::int64_t>(sent.packets + sent.duplicated) - received.packets_received -
                          received.packets_duplicated;
      const auto unexplained = std::min(received.packets_lost, absent) - taken;
      if (unexplained > 0) packets += static_cast<std::uint64_t>(unexplained);
    }
  return packets;
}

Verdict judge(const RunResult &run) {
  Finding finding;
  if (run.ended == EndReason::failed_to_start) {
    finding.decide(Outcome::invalid, 106, "could not start" + (run.end_detail.empty() ? "" : ": " + run.end_detail));
    return finding.verdict;
  }
  const bool broke = run.ended == EndReason::failed || run.ended == EndReason::interrupted;
  if (broke) judge_end(run, finding);  // explains whatever else is wrong
  judge_arrival(run, finding);
  judge_generator(run, finding);
  if (!broke) judge_end(run, finding);
  judge_thresholds(run, finding);
  judge_media(run, finding);
  if (!run.facts.has_receiver && run.subscribers.empty())
    finding.note("nothing was measured at the far end: the target has no receiver that reports here");
  if (finding.verdict.outcome == Outcome::passed && run.facts.has_receiver)
    finding.verdict.reasons.insert(
        finding.verdict.reasons.begin(),
        run.thresholds.empty() ? "media arrived from every participant, and nothing was missing but what chaos took"
                               : "every threshold held");
  return finding.verdict;
}

}  // namespace avc::results
