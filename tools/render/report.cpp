#include "tools/render/report.hpp"

#include <algorithm>

namespace avc::tools::render {
namespace {

std::string when(Json spike) {
  const std::string from = moment(spike["start_seconds"].number_or(0));
  const auto end = spike["end_seconds"].number();
  return from + " – " + (end ? moment(*end) : "end");
}

std::string whom(Json spike) {
  const std::size_t named = spike["participant_ids"].size();
  return named == 0 ? "all" : std::to_string(named);
}

std::string params(Json spike) {
  const Json all = spike["params"];
  std::string out;
  for (const auto &name : all.members()) out += (out.empty() ? "" : ", ") + name + " " + all[name.c_str()].scalar();
  return out;
}

std::string injected(Json spike) {
  const std::string state = spike["state"].text_or("");
  if (state == "refused" || state == "planned")
    return state + (spike["reason"].text_or("").empty() ? "" : ": " + spike["reason"].text_or(""));
  const std::string text = spike["injected_text"].text_or(params(spike));
  if (state != "cancelled") return text;
  return text.empty() ? "cancelled before it began" : text + " (cancelled)";
}

std::string spikes_table(Json spikes, std::size_t columns, const Paint &paint) {
  if (spikes.size() == 0) return "No spikes were injected.\n";
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    const Json spike = spikes.at(i);
    const auto hit = spike["participants"].number();
    rows.push_back({spike["spike_id"].text_or("?"), spike["type"].text_or("?"), when(spike),
                    hit ? grouped(*hit) : whom(spike), injected(spike), spike["measured_text"].text_or("")});
  }
  return table({{"spike"}, {"type"}, {"when"}, {"on", true}, {"injected"}, {"measured"}}, rows, columns, paint);
}

// Parts with a value, joined by commas; no line where there are none.
class Parts {
 public:
  void add(std::optional<double> value, const std::string &before, int decimals, const std::string &after) {
    if (value) add(before + (decimals == 0 ? grouped(*value) : fixed(*value, decimals)) + after);
  }
  void add(const std::string &text) { text_ += (text_.empty() ? "" : ", ") + text; }
  std::string line(const std::string &name) const { return text_.empty() ? "" : name + text_ + "\n"; }

 private:
  std::string text_;
};

std::string sent_line(Json sent) {
  Parts parts;
  parts.add(sent["packets"].number(), "", 0, " packets");
  if (const auto count = sent["bytes"].number()) parts.add(bytes(*count));
  parts.add(sent["frames"].number(), "", 0, " frames");
  if (const auto rate = sent["kbps"].number()) parts.add(bit_rate(*rate));
  parts.add(sent["lost_percent"].number(), "", 2, " % dropped on purpose");
  return parts.line("sent       ");
}

std::string received_line(Json received) {
  if (!received.exists()) return "received   not measured (no receiver reported)\n";
  Parts parts;
  parts.add(received["packets"].number(), "", 0, " packets");
  parts.add(received["loss_percent"].number(), "loss ", 2, " %");
  if (received["unexplained_losses"].number_or(0) > 0)
    parts.add(received["unexplained_losses"].number(), "", 0, " losses that nobody injected");
  parts.add(received["jitter_ms"].number(), "jitter ", 1, " ms");
  parts.add(received["mos_score"].number(), "MOS ", 2, "");
  parts.add(received["frames_complete_percent"].number(), "", 1, " % of frames complete");
  parts.add(received["freezes"].number(), "", 0, " freezes");
  parts.add(received["participants_seen"].number(), "", 0, " participants seen");
  return parts.line("received   ");
}

std::string generator_line(Json generator) {
  Parts parts;
  parts.add(generator["late_p99_ms"].number(), "p99 ", 2, " ms late");
  parts.add(generator["late_max_ms"].number(), "worst ", 2, " ms");
  parts.add(generator["send_errors"].number(), "", 0, " send errors");
  if (generator["receiver_kernel_drops"].number_or(0) > 0)
    parts.add(generator["receiver_kernel_drops"].number(), "", 0, " packets dropped by the receiver's own socket");
  return parts.line("generator  ");
}

std::string thresholds(Json list, const Paint &paint) {
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json one = list.at(i);
    const Json ok = one["ok"];
    const std::string text = one["text"].text_or(one["metric"].text_or("?") + " " + one["expr"].text_or(""));
    const bool held = ok.truth();
    const bool warns = one["severity"].text_or("fail") == "warn";
    out += (held ? paint(Colour::green, "✓ ") : paint(warns ? Colour::yellow : Colour::red, "✗ ")) + text + "\n";
  }
  return out;
}

}  // namespace

std::string verdict_line(Json report, const Paint &paint) {
  const Json verdict = report["verdict"];
  std::string word = verdict["result"].text_or("unknown");
  const Colour colour = word == "passed" ? Colour::green : word == "warned" ? Colour::yellow : Colour::red;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string out = paint(colour, word);
  const Json reasons = verdict["reasons"];
  for (std::size_t i = 0; i < reasons.size(); ++i) out += (i == 0 ? ": " : "; ") + reasons.at(i).text_or("");
  return out + "\n";
}

std::string report_text(Json report, std::size_t columns, const Paint &paint) {
  std::string out = "\n" + paint(Colour::bold, "Injected versus measured") + "\n\n";
  out += spikes_table(report["spikes"], columns, paint) + "\n";
  out += sent_line(report["sent"]) + received_line(report["received"]) + generator_line(report["generator"]);
  if (const std::string held = thresholds(report["thresholds"], paint); !held.empty()) out += "\n" + held;
  const Json warnings = report["warnings"];
  for (std::size_t i = 0; i < warnings.size(); ++i)
    out += paint(Colour::yellow, "warning: ") + warnings.at(i).text_or("") + "\n";
  return out + "\n" + verdict_line(report, paint);
}

std::string plan_text(Json plan, std::size_t columns, const Paint &paint) {
  std::string out = counted(plan["participants"].number_or(0), "participant") + " for " +
                    clock(plan["duration_seconds"].number_or(0)) + ", seed " + plan["seed"].scalar() + ", strategy " +
                    plan["strategy"].text_or("?") + "\n";
  const Json load = plan["load"];
  if (load.is_object())
    out += "expected load: " + grouped(load["packets_per_second"].number_or(0)) + " packets/s, " +
           fixed(load["mbit_per_second"].number_or(0), 1) + " Mbit/s\n";
  const Json spikes = plan["spikes"];
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    const Json spike = spikes.at(i);
    rows.push_back(
        {spike["spike_id"].text_or("?"), spike["type"].text_or("?"), when(spike), whom(spike), params(spike)});
  }
  out += "\n";
  out += rows.empty() ? "No spikes are planned.\n"
                      : table({{"spike"}, {"type"}, {"when"}, {"on", true}, {"parameters"}}, rows, columns, paint);
  const Json warnings = plan["warnings"];
  for (std::size_t i = 0; i < warnings.size(); ++i)
    out += paint(Colour::yellow, "warning: ") + warnings.at(i).text_or("") + "\n";
  return out;
}

}  // namespace avc::tools::render
