// The section of report.html on the receive-only participants: whether what was published came out again, how soon,
// and who of them was worst off.
#include <algorithm>

#include "launcher/results/html_parts.hpp"
#include "launcher/results/text.hpp"

namespace avc::results::html {
namespace {

constexpr std::size_t kShown = 100;

std::string of(const View &part, const View &whole) {
  return figure(part.number(), 0) + " of " + figure(whole.number(), 0);
}

std::string times(const View &times) {
  if (!times) return "none";
  return "half within " + figure(times["p50"].number(), 0) + " ms, 95 % within " + figure(times["p95"].number(), 0) +
         " ms, all " + figure(times["count"].number(), 0) + " within " + figure(times["max"].number(), 0) + " ms";
}

std::string row(const View &subscriber) {
  const View video = subscriber["received"]["video"], audio = subscriber["received"]["audio"];
  const std::string reason = subscriber["reason"].text();
  return "<tr><th scope=\"row\" class=\"n\">" + figure(subscriber["subscriber_id"].number(), 0) + "</th>" +
         numeric(figure(subscriber["participant_id"].number(), 0)) +
         cell(escaped(subscriber["state"].text()) +
              (reason.empty() ? "" : "<span class=\"sub\">" + escaped(reason) + "</span>")) +
         numeric(fixed(subscriber["join_time_ms"].number(), 0)) +
         numeric(fixed(subscriber["time_to_first_keyframe_ms"].number(), 0)) +
         numeric(fixed(subscriber["delivery_percent"].number(), 2)) +
         numeric(fixed(video["loss_percent"].number(), 2)) + numeric(fixed(audio["loss_percent"].number(), 2)) +
         numeric(figure(subscriber["packets_repaired"].number(), 0)) +
         numeric(fixed(video["frames_complete_percent"].number(), 1)) + numeric(figure(video["freezes"].number(), 0)) +
         "</tr>";
}

}  // namespace

std::string subscribers(const View &report) {
  const View all_of_them = report["subscribed"];
  if (!all_of_them) return "";
  auto all = report["subscribers"].items();
  std::ranges::stable_sort(all, {}, [](const View &one) { return one["delivery_percent"].number_or(0); });
  const std::size_t shown = std::min(all.size(), kShown);
  std::string out =
      "<section aria-labelledby=\"subscribers\"><h2 id=\"subscribers\">Subscribers</h2><p class=\"note\">Participants "
      "that only receive, each another participant's video and audio. <b>Delivered</b> is what came of each stream, by "
      "its sequence numbers; a stream that never came counts 0 %. <b>Repaired</b> packets came when they were sent "
      "again, <b>frames</b> are whole video frames.</p><dl class=\"facts\">";
  out += fact("Joined", of(all_of_them["joined"], all_of_them["subscribers"]) + " subscribers");
  out += fact("Streams", of(all_of_them["streams_received"], all_of_them["streams"]) + " arrived");
  out += fact("Delivered", figure(all_of_them["delivery_percent"].number(), 2) + " %, mean of all streams");
  out += fact("Join time", times(all_of_them["join_time_ms"]));
  out += fact("First whole keyframe", times(all_of_them["time_to_first_keyframe_ms"]));
  out += "</dl><div class=\"scroll\"><table><caption>The worst first" +
         (shown < all.size() ? "; " + std::to_string(shown) + " of " + grouped(all.size()) : "") +
         ". All of them are in report.json.</caption>" +
         head({"Id", "Receives", "State", "Join ms", "Keyframe ms", "Delivered %", "Video loss %", "Audio loss %",
               "Repaired", "Frames %", "Freezes"},
              3);
  for (std::size_t i = 0; i < shown; ++i) out += row(all[i]);
  return out + "</tbody></table></div></section>";
}

}  // namespace avc::results::html
