// The sub-commands: what each was asked for, as plain values, and the function that does it. main.cpp fills these
// from the command line; tests fill them by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/common/exit_code.hpp"

namespace avc::tools {

// What changes a scenario on its way to the daemon.
struct Overrides {
  std::string seed, participants, duration;  // as typed; empty: as the scenario says
  std::vector<std::string> set;              // path=value
  std::vector<std::string> tags;             // name=value
  std::string note;
  std::string ramp;  // as typed

  bool any() const {
    return !seed.empty() || !participants.empty() || !duration.empty() || !ramp.empty() || !set.empty() ||
           !tags.empty() || !note.empty();
  }
};

struct RunOptions {
  std::string scenario;  // file, "-" for standard input, empty for the quickstart
  std::string base_url;  // empty: the scenario's, or a daemon of our own
  Overrides overrides;
  std::string report_dir;  // empty: avchaos-report/TIME
  bool json = false, quiet = false, dry_run = false, strict = false;
};

struct ReplayOptions {
  std::string log;  // a decision log
  RunOptions run;   // its scenario: empty for the scenario.json beside the log
};

struct PlanOptions {
  std::string scenario, base_url;
  Overrides overrides;
  bool json = false;
};

struct ReceiveOptions {
  std::uint16_t port = 5002;  // 0: any free one
  std::string bind = "0.0.0.0";
  std::string duration;  // empty: until a signal
  bool json = false, per_participant = false;
  bool send_reports = false;  // RTCP receiver and extended reports
  // Instead of a port: WHEP endpoints, or BASE_URL TEST [N|all].
  std::vector<std::string> whep, webrtc;
  std::string token;                                      // empty: AVCHAOS_TOKEN
  std::vector<std::string> ice_addresses, allow_targets;  // as avchaosd takes them
};

Exit run(const RunOptions &options);
Exit replay(const ReplayOptions &options);
Exit plan(const PlanOptions &options);
Exit receive(const ReceiveOptions &options);
Exit subscribe(const ReceiveOptions &options);  // receive, over WebRTC
struct DoctorOptions {
  bool json = false;
  bool calibrate = false;  // first measure what a packet costs, and keep it for the daemon
};

Exit doctor(const DoctorOptions &options);
Exit version();
Exit spikes(bool json);
Exit profiles(const std::string &base_url, bool json);

}  // namespace avc::tools
