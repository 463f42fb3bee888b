// What a run's numbers mean: passed, warned, failed, or invalid (it says nothing about the system under test), the
// exit code for it and the reasons in plain words, the decisive one first.
//
// Precedence, as the interface has it: could not start (106), nothing arrived (107), the generator itself was
// overloaded (110), stopped by a signal (105) or over REST (103), a threshold failed (99), only warnings (98 when
// strict, else 0), passed (0); an error during the run and one found unfinished are 1.
//
// Without thresholds a run passes when media came from every participant and nothing was missing at the receiver but
// what the chaos took.
#pragma once

#include "launcher/results/samples.hpp"

namespace avc::results {

// The generator is overloaded when 1 % of its deadlines are missed by more than one audio packet's length, or more
// than this share of all packets never left the machine or never left our own receiver's socket buffer.
inline constexpr double kLateLimitMs = 20;
inline constexpr double kOwnLossLimitPercent = 0.1;

Verdict judge(const RunResult &run);

// Packets that are missing at the receiver and that no chaos took, over all participants.
std::uint64_t unexplained_losses(const RunResult &run);

}  // namespace avc::results
