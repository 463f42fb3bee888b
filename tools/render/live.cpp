#include "tools/render/live.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace avc::tools::render {
namespace {

std::string bar(double share, std::size_t cells) {
  const auto full = static_cast<std::size_t>(std::floor(std::clamp(share, 0.0, 1.0) * static_cast<double>(cells)));
  std::string out;
  for (std::size_t i = 0; i < cells; ++i) out += i < full ? "█" : "░";
  return out;
}

Colour colour_of_loss(std::optional<double> percent) {
  if (!percent || *percent < 1) return Colour::green;
  return *percent < 5 ? Colour::yellow : Colour::red;
}

Colour colour_of_mos(std::optional<double> mos) {
  if (!mos || *mos >= 4.0) return Colour::green;
  return *mos >= 3.5 ? Colour::yellow : Colour::red;
}

// A row of the block: what was injected, or what was measured, in columns.
std::string row(const std::string &name, const std::array<std::string, 6> &cells) {
  std::string out = pad(name, 10);
  for (const auto &cell : cells) out += pad(cell, 8, true);
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string with_unit(std::optional<double> value, int decimals, const char *unit) {
  return value ? fixed(*value, decimals) + unit : "–";
}

std::vector<std::string> quality(const Live &live, const Paint &paint) {
  const auto &sent = *live.sent;
  std::vector<std::string> lines;
  lines.push_back(paint(Colour::dim, row("", {"loss", "delay", "jitter", "MOS", "frames", "freezes"})));
  const auto loss = [&](std::optional<double> percent) {
    return paint(colour_of_loss(percent), with_unit(percent, 1, " %"));
  };
  const auto mos = [&](std::optional<double> score) { return paint(colour_of_mos(score), fixed(score, 2)); };
  lines.push_back(
      row("injected", {loss(sent.lost_percent), with_unit(sent.delay_ms, 0, " ms"), "", mos(sent.mos_score), "", ""}));
  if (!live.received) return lines;
  const auto &got = *live.received;
  lines.push_back(
      row("measured", {loss(got.loss_percent), with_unit(got.delay_ms, 0, " ms"), with_unit(got.jitter_ms, 1, " ms"),
                       mos(got.mos_score), with_unit(got.frames_complete_percent, 1, " %"), fixed(got.freezes, 0)}));
  return lines;
}

std::string state_word(const Live &live) { return live.preparing ? "preparing media" : live.state; }

std::string spike_list(const Live &live, bool with_details) {
  std::string out;
  for (const auto &[id, what] : live.active) {
    if (!out.empty()) out += ", ";
    out += with_details ? id + " (" + what + ")" : id;
  }
  return out;
}

}  // namespace

void Live::take_state(Json event) {
  state = event["state"].text_or(state);
  preparing = event["preparing"].truth();
  elapsed = event["elapsed_seconds"].number_or(elapsed);
  duration = event["duration_seconds"].number_or(duration);
}

void Live::take_sample(Json event) {
  const double at = event["t"].number_or(elapsed);
  // The test's end is sampled too, perhaps a moment after a full second: rates over so little mean nothing.
  const bool a_remainder = sent && at - sampled_at < 0.3;
  elapsed = sampled_at = at;
  if (a_remainder) return;
  participants = event["participants"].number_or(participants);
  const Json out = event["sent"], in = event["received"], generator = event["generator"];
  sent = Sent{out["packets_per_second"].number_or(0), out["kbps"].number_or(0), out["lost_percent"].number_or(0),
              out["delay_ms"].number(), out["mos_score"].number()};
  received.reset();
  if (in.is_object())
    received = Received{in["loss_percent"].number(),
                        in["delay_ms"].number(),
                        in["jitter_ms"].number(),
                        in["mos_score"].number(),
                        in["frames_complete_percent"].number(),
                        in["freezes"].number()};
  late_p99_ms = generator["late_p99_ms"].number_or(0);
  send_errors = generator["send_errors"].number_or(0);
}

std::string Live::take_spike(Json event) {
  const std::string id = event["spike_id"].text_or("?"), now = event["state"].text_or("");
  const double whom = event["participants"].number_or(0);
  const std::string what = event["type"].text_or("?") + " on " + counted(whom, "participant");
  if (now == "active" || now == "started") {
    const bool news = active.insert_or_assign(id, what).second;
    return news ? "spike " + id + " started: " + what : "";
  }
  const bool was_active = active.erase(id) > 0;
  const std::string reason = event["reason"].text_or("");
  const std::string because = reason.empty() ? "" : ": " + reason;
  if (now == "ended" || (now == "cancelled" && was_active)) return "spike " + id + " " + now + because;
  if (now == "refused") return "spike " + id + " (" + event["type"].text_or("?") + ") refused" + because;
  return {};
}

std::vector<std::string> live_block(const Live &live, std::size_t columns, const Paint &paint) {
  std::vector<std::string> lines;
  const double share = live.duration > 0 ? live.elapsed / live.duration : 0;
  const std::size_t cells = std::clamp<std::size_t>(columns > 40 ? columns - 36 : 10, 10, 50);
  const std::string left =
      live.duration > 0 ? clock(std::max(0.0, live.duration - live.elapsed)) + " left" : clock(live.elapsed);
  const std::string percent = live.duration > 0 ? pad(fixed(std::min(100.0, share * 100), 0), 4, true) + " %  " : "";
  lines.push_back(paint(Colour::blue, bar(share, cells)) + percent + left + "  " + state_word(live));
  if (live.sent) {
    const std::string load = counted(live.participants, "participant") + ", " + grouped(live.sent->packets_per_second) +
                             " packets/s, " + bit_rate(live.sent->kbps);
    std::string health = fixed(live.late_p99_ms, 1) + " ms late";
    if (live.send_errors > 0) health += ", " + grouped(live.send_errors) + " send errors";
    lines.push_back(load + ", " +
                    (live.late_p99_ms > 5 || live.send_errors > 0 ? paint(Colour::yellow, health) : health));
    for (auto &each : quality(live, paint)) lines.push_back(std::move(each));
  }
  lines.push_back("spikes    " +
                  (live.active.empty() ? paint(Colour::dim, "none") : paint(Colour::yellow, spike_list(live, true))));
  for (auto &line : lines) line = cut(line, columns);
  return lines;
}

std::string live_line(const Live &live) {
  std::string line = clock(live.elapsed) + (live.duration > 0 ? "/" + clock(live.duration) : "");
  if (!live.sent) return line + "  " + state_word(live);
  line += "  " + counted(live.participants, "participant") + "  " + bit_rate(live.sent->kbps);
  line +=
      "  injected: loss " + fixed(live.sent->lost_percent, 1) + " %, delay " + fixed(live.sent->delay_ms, 0) + " ms";
  if (live.received)
    line += "  measured: loss " + fixed(live.received->loss_percent, 1) + " %, jitter " +
            fixed(live.received->jitter_ms, 1) + " ms, MOS " + fixed(live.received->mos_score, 2);
  if (!live.active.empty()) line += "  spikes: " + spike_list(live, false);
  return line;
}

}  // namespace avc::tools::render
