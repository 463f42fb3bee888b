// What Prometheus is told of the tests of this process: the old tool's names with true values, and names of our own
// in base units. docs/rest-api.md lists them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/stats/lateness.hpp"

namespace avc::metrics {

enum class TestState { created, running, stopping, stopped, failed };

struct ParticipantNumbers {
  std::uint32_t id = 0;
  std::uint64_t frames = 0, packets = 0, bytes = 0;
  double jitter_ms = 0, loss_percent = 0, mos_score = 0, bitrate_kbps = 0;
};

struct TestNumbers {
  std::string test_id;
  TestState state = TestState::created;
  double elapsed_seconds = 0;
  std::uint32_t participants = 0;  // sending now
  std::uint32_t spikes_active = 0;
  std::uint32_t subscribers = 0, subscribers_connected = 0;  // receive-only participants
  std::uint64_t joined = 0;                                  // participants that ever sent
  std::uint64_t frames = 0, packets = 0, bytes = 0, lost = 0, send_errors = 0;
  // As the far side reported, over WebRTC, and what was done about it.
  std::uint64_t reported_nacks = 0, reported_keyframe_requests = 0, retransmitted = 0, rendition_switches = 0;
  double jitter_ms = 0, loss_percent = 0, mos_score = 0, bitrate_kbps = 0;
  double late_p99_ms = 0;
  stats::LateCounts late_counts;
  double late_sum_ms = 0;
  std::vector<ParticipantNumbers> per_participant;  // only those asked for
};

struct ProcessNumbers {
  std::uint32_t partition = 0;
  std::uint64_t rejected = 0;  // tests refused for lack of capacity, requests by rate or size
  double start_time_seconds = 0;
  double cpu_seconds = 0, steal_seconds = 0;  // of this process; of the machine since it booted
  std::uint64_t involuntary_switches = 0;
  int circuit = 0;                     // 0 closed, 1 half open, 2 open
  double packets_per_second_room = 0;  // that the machine has left
};

// GET /metrics: all tests of the process.
std::string process_text(const ProcessNumbers &process, std::span<const TestNumbers> tests);

// GET /api/v1/test/{id}/metrics?format=prometheus: one test and its participants.
std::string test_text(const TestNumbers &test);

}  // namespace avc::metrics
