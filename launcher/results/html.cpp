#include "launcher/results/html.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "launcher/results/html_parts.hpp"
#include "launcher/results/json_view.hpp"
#include "launcher/results/text.hpp"

namespace avc::results {
namespace html {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string clock(double seconds) {
  const auto whole = static_cast<long>(std::max(seconds, 0.0) + 1e-6);
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

}  // namespace html

namespace {

using html::escaped;

constexpr std::size_t kParticipants = 100;

std::string figure(const std::optional<double> &value, int decimals = 2) {
  return value ? number(*value, decimals) : "–";
}

// With all its decimals, so that a column lines up.
std::string fixed(const std::optional<double> &value, int decimals) {
  if (!value) return "–";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, std::clamp(*value, -1e15, 1e15));
  return text;
}

std::string tile(std::string_view label, const std::optional<double> &value, std::string_view unit, int decimals) {
  return "<div><dt>" + escaped(label) + "</dt><dd>" + figure(value, decimals) +
         (value && !unit.empty() ? " <small>" + escaped(unit) + "</small>" : "") + "</dd></div>";
}

std::string fact(std::string_view label, const std::string &value) {
  return value.empty() ? "" : "<dt>" + escaped(label) + "</dt><dd>" + escaped(value) + "</dd>";
}

std::string cell(const std::string &text) { return "<td>" + text + "</td>"; }
std::string numeric(const std::string &text) { return "<td class=\"n\">" + text + "</td>"; }

std::string head(std::initializer_list<std::string_view> names, std::size_t numeric_from = 99) {
  std::string out = "<thead><tr>";
  std::size_t column = 0;
  for (const auto name : names)
    out +=
        std::string("<th scope=\"col\"") + (column++ >= numeric_from ? " class=\"n\">" : ">") + escaped(name) + "</th>";
  return out + "</tr></thead><tbody>";
}

std::string word_of(const std::string &result) {
  if (result == "passed") return "✓ Passed";
  if (result == "warned") return "! Passed with warnings";
  if (result == "failed") return "✗ Failed";
  return "? Invalid: says nothing about the system under test";
}

std::string verdict(const View &report) {
  const View verdict = report["verdict"];
  std::string result = verdict["result"].text();
  if (result != "passed" && result != "warned" && result != "failed") result = "invalid";
  std::string out =
      "<div class=\"verdict " + result + "\" role=\"status\"><span class=\"word\">" + word_of(result) + "</span><ul>";
  for (const auto &reason : verdict["reasons"].items()) out += "<li>" + escaped(reason.text()) + "</li>";
  return out + "</ul><span class=\"code\">exit code " + figure(verdict["exit_code"].number(), 0) + "</span></div>";
}

std::string overview(const View &report) {
  const View sent = report["sent"], received = report["received"];
  const auto whole = [](const View &value) {
    return value.number() ? grouped(static_cast<unsigned long long>(std::max(*value.number(), 0.0))) : std::string();
  };
  std::string out = "<section aria-labelledby=\"overview\"><h2 id=\"overview\">The run</h2><dl class=\"tiles\">";
  out += tile("Loss received", received["loss_percent"].number(), "%", 2);
  out += tile("Loss injected", sent["lost_percent"].number(), "%", 2);
  out += tile("Jitter", received["jitter_ms"].number(), "ms", 1);
  out += tile("Audio MOS", received["mos_score"].number(), "of 4.41", 2);
  out += tile("Frames complete", received["frames_complete_percent"].number(), "%", 1);
  out += tile("Freezes", received["freezes"].number(), "", 0);
  out += tile("Generator late (p99)", report["generator"]["late_p99_ms"].number(), "ms", 2);
  out += "</dl><dl class=\"facts\">";
  out += fact("Started", report["started_at"].text());
  out += fact("Duration", number(report["duration_seconds"].number_or(0), 1) + " s of " +
                              number(report["planned_seconds"].number_or(0), 1) + " s planned");
  out += fact("Participants", whole(report["num_participants"]) +
                                  (received ? ", media arrived from " + whole(received["participants_seen"]) : ""));
  out += fact("Target", report["target"].text());
  out += fact("Seed", report["seed_text"].text());
  out += fact("Sent", whole(sent["packets"]) + " packets, " + whole(sent["frames"]) + " frames");
  if (received)
    out += fact("Received", whole(received["packets"]) + " packets, " + whole(received["lost"]) + " missing");
  else
    out += fact("Received", "not measured: no receiver reports to this run");
  return out + "</dl></section>";
}

double end_of(const View &spike, double seconds) {
  return spike["ended_seconds"].number().value_or(spike["started_seconds"] ? seconds : 0);
}

// The parts of a summary below one another.
std::string on_lines(const std::string &text) {
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find("; ", from), text.size());
    std::string part = escaped(std::string_view(text).substr(from, to - from));
    for (std::size_t at; (at = part.find(" %")) != std::string::npos;) part.replace(at, 1, "&nbsp;");
    out += (from ? "<br>" : "") + part;
    from = to + 2;
  }
  return out;
}

std::string spike_row(const View &spike, std::size_t number_of, double seconds) {
  const auto start = spike["started_seconds"].number();
  std::string when = start ? html::clock(*start) + " – " + html::clock(end_of(spike, seconds))
                           : html::clock(spike["start_seconds"].number_or(0)) + " (planned)";
  std::string params;
  for (const auto &[key, value] : spike["params"].members())
    params += (params.empty() ? "" : ", ") + key + " " + (value.number() ? figure(value.number(), 3) : value.text());
  std::string injected = spike["injected_text"].text();
  if (injected.empty()) injected = spike["state"].text() + (spike["reason"] ? ": " + spike["reason"].text() : "");
  const View measured = spike["measured"];
  const auto mos = [&](const char *window) { return fixed(measured[window]["mos_score"].number(), 2); };
  return "<tr>" + numeric(std::to_string(number_of)) + "<th scope=\"row\">" + escaped(spike["type"].text()) +
         "<span class=\"sub\">" + escaped(spike["spike_id"].text()) + "</span><span class=\"sub\">" + escaped(params) +
         "</span></th>" + "<td class=\"w\">" + when + "</td>" + numeric(figure(spike["participants"].number(), 0)) +
         "<td class=\"mid\">" + on_lines(injected) + "</td>" + "<td class=\"wide\">" +
         on_lines(spike["measured_text"].text()) + "</td>" +
         numeric(mos("before") + "→" + mos("during") + "→" + mos("after")) + "</tr>";
}

std::string spikes(const View &report, double seconds) {
  const auto all = report["spikes"].items();
  std::string out = "<section aria-labelledby=\"spikes\"><h2 id=\"spikes\">Injected and measured</h2>";
  if (all.empty()) return out + "<p class=\"note\">No spikes in this run.</p></section>";
  out +=
      "<div class=\"scroll\"><table><caption>What the chaos did to its participants, as the sender decided it and as "
      "the receiver, which was not told, saw it. MOS: before → during → after.</caption>" +
      head({"#", "Spike", "When", "Participants", "Injected", "Measured", "MOS"});
  for (std::size_t i = 0; i < all.size(); ++i) out += spike_row(all[i], i + 1, seconds);
  return out + "</tbody></table></div></section>";
}

std::vector<html::Band> bands_of(const View &report, double seconds) {
  std::vector<html::Band> bands;
  int number_of = 0;
  for (const auto &spike : report["spikes"].items()) {
    ++number_of;
    if (const auto start = spike["started_seconds"].number())
      bands.push_back({*start, end_of(spike, seconds), number_of,
                       std::to_string(number_of) + ": " + spike["type"].text() + " " + spike["spike_id"].text()});
  }
  std::stable_sort(bands.begin(), bands.end(), [](const auto &a, const auto &b) { return a.from < b.from; });
  return bands;
}

html::Series series(const std::vector<View> &samples, std::string name, const char *group, const char *member) {
  html::Series out{std::move(name), {}};
  for (const auto &sample : samples) out.values.push_back(sample[group][member].number());
  return out;
}

std::string charts(const View &report, double seconds) {
  const auto samples = report["samples"].items();
  if (samples.size() < 2) return "";
  const auto bands = bands_of(report, seconds);
  std::vector<double> times;
  for (const auto &sample : samples) times.push_back(sample["t"].number_or(0));
  const auto chart = [&](html::Chart description, std::vector<html::Series> lines) {
    description.times = times;
    description.series = std::move(lines);
    return html::draw(description, bands, seconds);
  };
  std::string out = "<section aria-labelledby=\"time\"><h2 id=\"time\">Over time</h2>";
  if (!bands.empty()) out += html::draw_bands(bands, seconds);
  out += chart(
      {.id = "chart-loss", .title = "Packet loss", .unit = "%"},
      {series(samples, "received", "received", "loss_percent"), series(samples, "injected", "sent", "lost_percent")});
  out += chart({.id = "chart-jitter", .title = "Jitter", .unit = "ms"},
               {series(samples, "received", "received", "jitter_ms")});
  out += chart({.id = "chart-mos",
                .title = "Audio quality",
                .unit = "MOS, 1 to 4.5",
                .low = 1,
                .high = 5,
                .lowest_is_worst = true},
               {series(samples, "received", "received", "mos_score")});
  out += chart({.id = "chart-kbps", .title = "Bitrate", .unit = "kbit/s"},
               {series(samples, "received", "received", "kbps"), series(samples, "sent", "sent", "kbps")});
  return out + "</section>";
}

std::string thresholds(const View &report) {
  const auto all = report["thresholds"].items();
  if (all.empty()) return "";
  std::string out =
      "<section aria-labelledby=\"thresholds\"><h2 id=\"thresholds\">Thresholds</h2><div "
      "class=\"scroll\"><table>" +
      head({"Result", "Metric", "Wanted", "Was"});
  for (const auto &threshold : all) {
    const bool ok = threshold["ok"].yes(), warn = threshold["severity"].text() == "warn";
    out += "<tr>" +
           cell(std::string("<span class=\"tag ") +
                (ok     ? "ok\">✓ held"
                 : warn ? "meh\">! warning"
                        : "no\">✗ failed") +
                "</span>") +
           "<th scope=\"row\">" + escaped(threshold["metric"].text()) + "</th>" +
           cell(escaped(threshold["expr"].text())) +
           cell(threshold["value"] ? figure(threshold["value"].number(), 3) : "no samples") + "</tr>";
  }
  return out + "</tbody></table></div></section>";
}

// The worse of a participant's two streams, to put the ones in trouble first.
double trouble(const View &participant) {
  double worst = participant["state"].text() == "failed" ? 1000 : 0;
  const View received = participant["received"];
  for (const char *media : {"video", "audio"}) {
    const View stream = received[media];
    if (participant["sent"][media]["packets"].number_or(0) > 0 && stream["packets"].number_or(0) == 0) worst += 200;
    worst += stream["loss_percent"].number_or(0);
  }
  return worst;
}

std::string participant_row(const View &participant) {
  const View video = participant["received"]["video"], audio = participant["received"]["audio"];
  const double sent =
      participant["sent"]["video"]["packets"].number_or(0) + participant["sent"]["audio"]["packets"].number_or(0);
  return "<tr><th scope=\"row\" class=\"n\">" + figure(participant["participant_id"].number(), 0) + "</th>" +
         cell(escaped(participant["state"].text())) + numeric(grouped(static_cast<unsigned long long>(sent))) +
         numeric(fixed(video["loss_percent"].number(), 2)) + numeric(fixed(audio["loss_percent"].number(), 2)) +
         numeric(fixed(video["frames_complete_percent"].number(), 1)) + numeric(figure(video["freezes"].number(), 0)) +
         numeric(fixed(audio["jitter_ms"].number(), 1)) + numeric(fixed(audio["mos_score"].number(), 2)) + "</tr>";
}

std::string participants(const View &report) {
  auto all = report["participants"].items();
  if (all.empty()) return "";
  std::stable_sort(all.begin(), all.end(), [](const View &a, const View &b) { return trouble(a) > trouble(b); });
  const std::size_t shown = std::min(all.size(), kParticipants);
  std::string out =
      "<section aria-labelledby=\"participants\"><h2 id=\"participants\">Participants</h2><div "
      "class=\"scroll\"><table><caption>Over the whole run, the worst first" +
      (shown < all.size() ? "; " + std::to_string(shown) + " of " + grouped(all.size()) : "") +
      ". All of them are in report.json.</caption>" +
      head({"Id", "State", "Packets sent", "Video loss %", "Audio loss %", "Frames complete %", "Freezes",
            "Audio jitter ms", "MOS"},
           2);
  for (std::size_t i = 0; i < shown; ++i) out += participant_row(all[i]);
  return out + "</tbody></table></div></section>";
}

std::string background(const View &report) {
  const View generator = report["generator"];
  std::string out =
      "<section aria-labelledby=\"background\"><h2 id=\"background\">The generator and its machine</h2>"
      "<dl class=\"facts\">";
  out += fact("Lateness", "p50 " + figure(generator["late_p50_ms"].number()) + " ms, p99 " +
                              figure(generator["late_p99_ms"].number()) + " ms, longest " +
                              figure(generator["late_max_ms"].number()) + " ms");
  out += fact("Refused by the kernel", figure(generator["send_errors"].number(), 0) + " packets");
  out += fact("Overflowed our receiver", figure(generator["receiver_kernel_drops"].number(), 0) + " packets");
  for (const auto &[key, value] : report["environment"].members()) out += fact(key, value.text());
  out += "</dl>";
  const auto warnings = report["warnings"].items();
  if (!warnings.empty()) {
    out += "<h3>Warnings</h3><ul>";
    for (const auto &warning : warnings) out += "<li>" + escaped(warning.text()) + "</li>";
    out += "</ul>";
  }
  if (report["scenario"])
    out += "<details><summary>Scenario</summary><pre>" + escaped(report["scenario"].json()) + "</pre></details>";
  return out + "</section>";
}

}  // namespace

std::string report_html(std::string_view report_json) {
  const Report held(report_json);
  const View report = held.root();
  const double seconds = report["duration_seconds"].number_or(0);
  const std::string name = report["test_id"].text();
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width,initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" "
         "content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>" +
         escaped(name + ": " + report["verdict"]["result"].text()) + " – gst-avchaos</title><style>" + html::style() +
         "</style></head><body><main><h1>Test " + escaped(name) + "</h1>" + verdict(report) + overview(report) +
         spikes(report, seconds) + charts(report, seconds) + thresholds(report) + participants(report) +
         background(report) +
         "<footer>Made by gst-avchaos " AVC_VERSION
         ". Every number here is in report.json, and docs/report.md says how each is computed.</footer></main></body>"
         "</html>\n";
}

}  // namespace avc::results
