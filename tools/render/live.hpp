// What is known about a run while it goes on, fed with the server's events, and its two pictures: a block that is
// redrawn on a terminal, and lines for a log.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/json.hpp"
#include "tools/render/text.hpp"

namespace avc::tools::render {

struct Live {
  std::string state = "created";
  bool preparing = false;  // media is being made ready, nothing is sent yet
  double elapsed = 0;
  double duration = 0;  // 0: not known
  double participants = 0;

  struct Sent {
    double packets_per_second = 0, kbps = 0, lost_percent = 0;
    std::optional<double> delay_ms, mos_score;  // what the link's loss and delay come to
  };
  struct Received {
    std::optional<double> loss_percent, delay_ms, jitter_ms, mos_score, frames_complete_percent, freezes;
  };
  std::optional<Sent> sent;          // of the last second
  std::optional<Received> received;  // of the last second; none without a receiver
  double late_p99_ms = 0, send_errors = 0;
  double sampled_at = 0;                      // t of the newest sample
  std::map<std::string, std::string> active;  // spike id -> "rtp_packet_loss on 5 participants"

  void take_state(Json event);
  void take_sample(Json event);
  // What to tell in a log: "spike a-1 started: rtp_packet_loss on 5 participants"; empty for what is not news.
  std::string take_spike(Json event);

  bool over() const { return state == "stopped" || state == "failed"; }
};

// Lines without line ends, none wider than `columns`.
std::vector<std::string> live_block(const Live &live, std::size_t columns, const Paint &paint);
std::string live_line(const Live &live);

}  // namespace avc::tools::render
