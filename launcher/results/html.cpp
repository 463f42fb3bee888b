#include "launcher/results/html.hpp"

#include <algorithm>

#include "launcher/results/html_parts.hpp"
#include "launcher/results/json_view.hpp"
#include "launcher/results/text.hpp"

namespace avc::results {
namespace {

using html::cell, html::escaped, html::fact, html::figure, html::fixed, html::head, html::numeric, html::tile;

constexpr std::size_t kParticipants = 100;

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
  out += tile("Loss injected", sent["lost_percent"].number(), "%", 2);
  out += tile("Loss measured", received["loss_percent"].number(), "%", 2);
  out += tile("Jitter", received["jitter_ms"].number(), "ms", 1);
  out += tile("Audio MOS", received["mos_score"].number(), "of 4.41", 2);
  out += tile("Frames complete", received["frames_complete_percent"].number(), "%", 1);
  out += tile("Freezes", received["freezes"].number(), "", 0);
  out += tile("Frozen video", received["freeze_seconds"].number(), "s", 1);
  out += "</dl><dl class=\"facts\">";
  out += fact("Started", report["started_at"].text());
  out += fact("Duration", number(report["duration_seconds"].number_or(0), 1) + " s of " +
                              number(report["planned_seconds"].number_or(0), 1) + " s planned");
  const auto ramp = report["ramp_seconds"].number();
  out += fact("Participants", whole(report["num_participants"]) +
                                  (ramp ? ", who joined over " + number(*ramp, 1) + " s" : "") +
                                  (received ? ", media arrived from " + whole(received["participants_seen"]) : ""));
  out += fact("Target", report["target"].text());
  out += fact("Seed", report["seed_text"].text());
  out += fact("Sent", whole(sent["packets"]) + " packets, " + whole(sent["frames"]) + " frames");
  if (received)
    out += fact("Received", whole(received["packets"]) + " packets, " + whole(received["lost"]) + " missing");
  else
    out += fact("Received", report["subscribed"] ? "by the subscribers: see there"
                                                 : "not measured: no receiver reports to this run");
  return out + "</dl></section>";
}

double end_of(const View &spike, double seconds) {
  return spike["ended_seconds"].number().value_or(spike["started_seconds"] ? seconds : 0);
}

std::string figure_row(const View &figure) {
  const int decimals = std::clamp(static_cast<int>(figure["decimals"].number_or(1)), 0, 6);
  const bool measured = figure["before"] || figure["during"] || figure["after"];
  const auto value = [&](const char *key, const char *style, bool shown) {
    return std::string("<td class=\"") + style + "\">" + (shown ? fixed(figure[key].number(), decimals) : "") + "</td>";
  };
  const std::string unit = figure["unit"].text();
  return "<tr><th scope=\"row\" class=\"f\">" + escaped(figure["name"].text()) +
         (unit.empty() ? "" : " <span class=\"unit\">" + escaped(unit) + "</span>") + "</th>" +
         value("injected", "n", bool(figure["injected"])) + value("before", "n", measured) +
         value("during", "n now", measured) + value("after", "n", measured) + "</tr>";
}

std::string whom(const View &spike) {
  const double hit = spike["participants"].number_or(0);
  return number(hit, 0) + (hit == 1 ? " participant" : " participants");
}

std::string spike_rows(const View &spike, std::size_t number_of, double seconds) {
  const auto start = spike["started_seconds"].number();
  const std::string when = start ? html::clock(*start) + " – " + html::clock(end_of(spike, seconds))
                                 : html::clock(spike["start_seconds"].number_or(0)) + " (planned)";
  std::string params;
  for (const auto &[key, value] : spike["params"].members())
    params += (params.empty() ? "" : ", ") + key + " " + (value.number() ? figure(value.number(), 3) : value.text());
  std::string out = "<tbody><tr class=\"spike-head\"><th scope=\"rowgroup\" colspan=\"5\"><span class=\"badge\">" +
                    std::to_string(number_of) + "</span> " + escaped(spike["type"].text()) + " <span class=\"sub\">" +
                    escaped(spike["spike_id"].text()) + " · " + when + " · " + whom(spike) +
                    (params.empty() ? "" : " · " + escaped(params)) + "</span></th></tr>";
  const auto remark = [&](const std::string &text) {
    if (!text.empty()) out += "<tr><td colspan=\"5\" class=\"remark\">" + escaped(text) + "</td></tr>";
  };
  const auto figures = spike["figures"].items();
  for (const auto &each : figures) out += figure_row(each);
  const std::string state = spike["state"].text();
  if (figures.empty() || state == "cancelled") remark(state + (spike["reason"] ? ": " + spike["reason"].text() : ""));
  if (spike["mixed"].yes()) remark("Other spikes acted on some of these participants in these seconds too.");
  return out + "</tbody>";
}

std::string spikes(const View &report, double seconds) {
  const auto all = report["spikes"].items();
  std::string out = "<section aria-labelledby=\"spikes\"><h2 id=\"spikes\">Injected and measured</h2>";
  if (all.empty()) return out + "<p class=\"note\">No spikes in this run.</p></section>";
  out +=
      "<div class=\"scroll\"><table class=\"figures\"><caption>What each spike did to the participants it hit. "
      "<b>Injected</b> is what the sender decided; <b>before</b>, <b>during</b> and <b>after</b> are what the "
      "receiver, "
      "which was not told, measured of these participants: in the 3 seconds before, while the spike acted, and in the "
      "3 "
      "seconds after it had settled.</caption><thead><tr><th scope=\"col\">Spike</th>";
  for (const char *name : {"Injected", "Before", "During", "After"})
    out += std::string("<th scope=\"col\" class=\"n\">") + name + "</th>";
  out += "</tr></thead>";
  for (std::size_t i = 0; i < all.size(); ++i) out += spike_rows(all[i], i + 1, seconds);
  return out + "</table></div></section>";
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
  const auto empty = [](const html::Series &line) {
    return std::ranges::none_of(line.values, [](const auto &value) { return value.has_value(); });
  };
  const auto chart = [&](html::Chart description, std::vector<html::Series> lines) -> std::string {
    if (!report["received"] && std::ranges::all_of(lines, empty)) return "";  // nobody was there to measure it
    description.times = times;
    description.series = std::move(lines);
    return html::draw(description, bands, seconds);
  };
  std::string out =
      "<section aria-labelledby=\"time\"><h2 id=\"time\">Over time</h2><p class=\"note\">Each second, all "
      "participants together; shaded while a spike acts. A spike on half of them shows half its size "
      "here; the table above has the participants it hit alone.</p>";
  if (!bands.empty()) out += html::draw_bands(bands, seconds);
  out += chart(
      {.id = "chart-loss", .title = "Packet loss", .unit = "%"},
      {series(samples, "measured", "received", "loss_percent"), series(samples, "injected", "sent", "lost_percent")});
  out += chart({.id = "chart-delay", .title = "Delay", .unit = "ms"},
               {series(samples, "measured", "received", "delay_ms"), series(samples, "injected", "sent", "delay_ms")});
  out += chart({.id = "chart-jitter", .title = "Jitter", .unit = "ms"},
               {series(samples, "measured", "received", "jitter_ms")});
  out += chart({.id = "chart-frames", .title = "Whole video frames", .unit = "%", .high = 100, .lowest_is_worst = true},
               {series(samples, "measured", "received", "frames_complete_percent")});
  out += chart({.id = "chart-mos",
                .title = "Audio quality",
                .unit = "MOS, 1 to 4.5",
                .low = 1,
                .high = 5,
                .lowest_is_worst = true},
               {series(samples, "measured", "received", "mos_score")});
  out += chart({.id = "chart-kbps", .title = "Bitrate", .unit = "kbit/s"},
               {series(samples, "measured", "received", "kbps"), series(samples, "sent", "sent", "kbps")});
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
      "<section aria-labelledby=\"background\"><h2 id=\"background\">The generator and its machine</h2><p "
      "class=\"note\">Whether the numbers above are the network's doing or ours. A run is called invalid (exit code "
      "110) "
      "when 1 % of all packets left more than 20 ms late, or when more than 0.1 % of them were refused by the kernel "
      "or "
      "lost in our own receiver's socket.</p><dl class=\"facts\">";
  out += fact("Late", "half of all deadlines at most " + figure(generator["late_p50_ms"].number()) +
                          " ms, 99 % at most " + figure(generator["late_p99_ms"].number()) + " ms, the worst " +
                          figure(generator["late_max_ms"].number()) + " ms");
  if (const View use = generator["machine"]; use["seconds"].number().value_or(0) > 0) {
    const double all = use["seconds"].number().value_or(1) * use["processors"].number().value_or(1);
    const auto percent = [&](const char *key) { return figure(use[key].number().value_or(0) / all * 100) + " %"; };
    out += fact("Processors", percent("own_cpu_seconds") + " used by this program, " + percent("machine_cpu_seconds") +
                                  " by all, " + percent("steal_seconds") + " stolen by the hypervisor");
    out += fact("Taken off a processor", figure(use["involuntary_switches"].number(), 0) + " times");
  }
  out += fact("Refused by the kernel", figure(generator["send_errors"].number(), 0) + " packets");
  out += fact("Lost in our receiver's socket", figure(generator["receiver_kernel_drops"].number(), 0) + " packets");
  for (const auto &[key, value] : report["environment"].members()) out += fact(key, value.text());
  out += "</dl>";
  const auto warnings = report["warnings"].items();
  if (!warnings.empty()) {
    out += "<h3>Warnings</h3><ul>";
    for (const auto &warning : warnings) out += "<li>" + escaped(warning.text()) + "</li>";
    out += "</ul>";
  }
  return out + "</section>";
}

// What was tested, in its author's words where there are any.
std::string title(const View &report) {
  const std::string words = report["scenario"]["description"].text(), id = escaped(report["test_id"].text());
  return words.empty() ? "Test " + id : escaped(words) + "<span class=\"sub\">" + id + "</span>";
}

// The same seed and scenario give the same plan and the same lost packets.
std::string repeat(const View &report) {
  if (!report["scenario"]) return "";
  return "<section aria-labelledby=\"repeat\"><h2 id=\"repeat\">Run it again</h2><p class=\"note\">The same scenario "
         "with the same seed injects the same chaos, packet for packet. <code>avchaos run</code> leaves "
         "<code>scenario.json</code> beside this page; else save the text below under that name.</p><pre>avchaos run "
         "scenario.json --seed " +
         escaped(report["seed_text"].text()) + "</pre><details><summary>scenario.json</summary><pre>" +
         escaped(report["scenario"].json()) + "</pre></details></section>";
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
         "</style></head><body><main><h1>" + title(report) + "</h1>" + verdict(report) + overview(report) +
         spikes(report, seconds) + charts(report, seconds) + thresholds(report) + participants(report) +
         html::subscribers(report) + background(report) + repeat(report) +
         "<footer>Made by gst-avchaos " AVC_VERSION
         ". Every number here is in report.json, and docs/report.md says how each is computed.</footer></main></body>"
         "</html>\n";
}

}  // namespace avc::results
