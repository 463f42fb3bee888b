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

// What there is to say of a spike that left no figures.
std::string outcome(Json spike) {
  const std::string state = spike["state"].text_or("planned"), reason = spike["reason"].text_or("");
  if (state == "refused" || state == "planned") return state + (reason.empty() ? "" : ": " + reason);
  if (state == "cancelled") return "cancelled before it began";
  return spike["injected_text"].text_or(params(spike));
}

constexpr std::size_t kName = 23, kValue = 9;

std::string figure_line(Json figure) {
  const std::string unit = figure["unit"].text_or("");
  const int decimals = std::clamp(static_cast<int>(figure["decimals"].number_or(1)), 0, 6);
  const bool measured = figure["during"].exists() || figure["before"].exists() || figure["after"].exists();
  std::string line = "  " + pad(figure["name"].text_or("?") + (unit.empty() ? "" : ", " + unit), kName - 2);
  for (const char *key : {"injected", "before", "during", "after"}) {
    const auto value = figure[key].number();
    const bool blank = !value && (std::string(key) == "injected" || !measured);
    line += pad(blank ? "" : fixed(value, decimals), kValue, true);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// One block for each spike: what it was, then a row for each figure. Narrow enough for any terminal.
std::string spike_block(Json spike, std::size_t columns, const Paint &paint) {
  const auto hit = spike["participants"].number();
  const std::string on = hit && *hit > 0 ? counted(*hit, "participant")
                         : whom(spike) == "all"
                             ? "all participants"
                             : counted(static_cast<double>(spike["participant_ids"].size()), "participant");
  std::string out = paint(Colour::bold, spike["spike_id"].text_or("?")) + "  " + spike["type"].text_or("?");
  out = wrapped(out + ", " + on + ", " + when(spike), columns, 2) + "\n";
  const Json figures = spike["figures"];
  for (std::size_t i = 0; i < figures.size(); ++i) out += figure_line(figures.at(i));
  const auto remark = [&](const std::string &text) { out += wrapped("  " + text, columns, 4) + "\n"; };
  if (figures.size() == 0) remark(outcome(spike));
  if (figures.size() > 0 && spike["state"].text_or("") == "cancelled") remark("cancelled before its time");
  if (spike["mixed"].truth()) remark("other spikes acted on some of these participants too");
  return out;
}

std::string spikes_table(Json spikes, std::size_t columns, const Paint &paint) {
  if (spikes.size() == 0) return "No spikes were injected.\n";
  const std::string head = pad("", kName) + pad("injected", kValue, true) + pad("before", kValue, true) +
                           pad("during", kValue, true) + pad("after", kValue, true);
  std::string out = paint(Colour::dim, head) + "\n";
  for (std::size_t i = 0; i < spikes.size(); ++i) out += spike_block(spikes.at(i), columns, paint);
  return out;
}

constexpr std::size_t kLabel = 11;

// Parts with a value, joined by commas; no line where there are none.
class Parts {
 public:
  void add(std::optional<double> value, const std::string &before, int decimals, const std::string &after) {
    if (value) add(before + (decimals == 0 ? grouped(*value) : fixed(*value, decimals)) + after);
  }
  void add(const std::string &text) { text_ += (text_.empty() ? "" : ", ") + text; }
  std::string line(const std::string &name, std::size_t columns) const {
    return text_.empty() ? "" : wrapped(pad(name, kLabel) + text_, columns, kLabel) + "\n";
  }

 private:
  std::string text_;
};

std::string sent_line(Json sent, std::size_t columns) {
  Parts parts;
  parts.add(sent["packets"].number(), "", 0, " packets");
  if (const auto count = sent["bytes"].number()) parts.add(bytes(*count));
  parts.add(sent["frames"].number(), "", 0, " frames");
  if (const auto rate = sent["kbps"].number()) parts.add(bit_rate(*rate));
  parts.add(sent["lost_percent"].number(), "", 2, " % of packets lost by chaos");
  return parts.line("sent", columns);
}

std::string received_line(Json received, std::size_t columns) {
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
  return parts.line("received", columns);
}

std::string generator_line(Json generator, std::size_t columns) {
  Parts parts;
  parts.add(generator["late_p99_ms"].number(), "99 % of deadlines at most ", 1, " ms late");
  parts.add(generator["late_max_ms"].number(), "worst ", 1, " ms");
  parts.add(generator["send_errors"].number(), "", 0, " send errors");
  if (generator["receiver_kernel_drops"].number_or(0) > 0)
    parts.add(generator["receiver_kernel_drops"].number(), "", 0, " packets dropped by the receiver's own socket");
  return parts.line("generator", columns);
}

std::string thresholds(Json list, std::size_t columns, const Paint &paint) {
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json one = list.at(i);
    const Json ok = one["ok"];
    const std::string text = one["text"].text_or(one["metric"].text_or("?") + " " + one["expr"].text_or(""));
    const bool held = ok.truth();
    const bool warns = one["severity"].text_or("fail") == "warn";
    const std::string mark = held ? paint(Colour::green, "✓ ") : paint(warns ? Colour::yellow : Colour::red, "✗ ");
    out += wrapped(mark + text, columns, 2) + "\n";
  }
  return out;
}

}  // namespace

std::string verdict_line(Json report, std::size_t columns, const Paint &paint) {
  const Json verdict = report["verdict"];
  std::string word = verdict["result"].text_or("unknown");
  const Colour colour = word == "passed" ? Colour::green : word == "warned" ? Colour::yellow : Colour::red;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string out = paint(colour, word);
  const Json reasons = verdict["reasons"];
  for (std::size_t i = 0; i < reasons.size(); ++i) out += (i == 0 ? ": " : "; ") + reasons.at(i).text_or("");
  return wrapped(out, columns, 2) + "\n";
}

std::string report_text(Json report, std::size_t columns, const Paint &paint) {
  std::string out = "\n" + paint(Colour::bold, "Injected versus measured") + "\n\n";
  out += spikes_table(report["spikes"], columns, paint) + "\n";
  out += sent_line(report["sent"], columns) + received_line(report["received"], columns) +
         generator_line(report["generator"], columns);
  if (const std::string held = thresholds(report["thresholds"], columns, paint); !held.empty()) out += "\n" + held;
  const Json warnings = report["warnings"];
  for (std::size_t i = 0; i < warnings.size(); ++i)
    out += wrapped(paint(Colour::yellow, "warning: ") + warnings.at(i).text_or(""), columns, 2) + "\n";
  return out + "\n" + verdict_line(report, columns, paint);
}

std::string joining(Json plan) {
  const auto seconds = plan["ramp"]["seconds"].number();
  if (!seconds) return "";
  return ", joining over " + fixed(*seconds, *seconds < 10 ? 1 : 0) + " s";
}

std::string plan_text(Json plan, std::size_t columns, const Paint &paint) {
  const std::string ramp = joining(plan);
  std::string out = counted(plan["participants"].number_or(0), "participant") + ramp + (ramp.empty() ? "" : ",") +
                    " for " + clock(plan["duration_seconds"].number_or(0)) + ", seed " + plan["seed"].scalar() +
                    ", strategy " + plan["strategy"].text_or("?") + "\n";
  const Json load = plan["load"];
  if (load.is_object())
    out += "expected load: " + grouped(load["packets_per_second"].number_or(0)) + " packets/s, " +
           fixed(load["mbit_per_second"].number_or(0), 1) + " Mbit/s" + (ramp.empty() ? "" : " when all have joined") +
           "\n";
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
    out += wrapped(paint(Colour::yellow, "warning: ") + warnings.at(i).text_or(""), columns, 2) + "\n";
  return out;
}

}  // namespace avc::tools::render
