// `avchaos receive --whep` and `--webrtc`: subscribers in a daemon of our own (a child, gone with us), whose figures
// are fetched, shown and kept as those of packets on a port are. What fails is told when it happens, and ends nobody
// else.
#include <chrono>
#include <cstdio>
#include <map>
#include <set>

#include <glib.h>

#include "tools/commands.hpp"
#include "tools/common/json.hpp"
#include "tools/common/server.hpp"
#include "tools/common/signals.hpp"
#include "tools/common/words.hpp"
#include "tools/render/reception.hpp"
#include "tools/render/terminal.hpp"

namespace avc::tools {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr const char *kPath = "/api/v1/subscriptions";
constexpr int kPage = 500;

std::int64_t whole(const Json &object, const char *name) {
  return static_cast<std::int64_t>(object[name].number_or(0));
}

stats::StreamStats read_stats(const Json &stream) {
  stats::StreamStats s;
  s.packets_received = whole(stream, "packets_received");
  s.packets_expected = whole(stream, "packets_expected");
  s.packets_lost = whole(stream, "packets_lost");
  s.packets_duplicated = whole(stream, "packets_duplicated");
  s.packets_reordered = whole(stream, "packets_reordered");
  s.bytes_received = whole(stream, "bytes_received");
  s.payload_bytes = whole(stream, "payload_bytes");
  s.restarts = whole(stream, "restarts");
  s.loss_runs = whole(stream, "loss_runs");
  for (std::size_t i = 0; i < s.loss_run_lengths.size(); ++i)
    s.loss_run_lengths[i] = static_cast<std::int64_t>(stream["loss_run_lengths"].at(i).number_or(0));
  s.jitter_ms = stream["jitter_ms"].number_or(0);
  s.jitter_samples = whole(stream, "jitter_samples");
  s.jitter_ms_sum = s.jitter_ms * static_cast<double>(s.jitter_samples);
  s.frames_complete = whole(stream, "frames_complete");
  s.frames_broken = whole(stream, "frames_broken");
  s.frames_lost = whole(stream, "frames_lost");
  s.keyframes_complete = whole(stream, "keyframes_complete");
  s.freeze_count = whole(stream, "freeze_count");
  s.freeze_time = from_seconds(stream["freeze_seconds"].number_or(0));
  return s;
}

net::Stream media_named(const std::string &name) {
  for (const auto media : {net::Stream::video, net::Stream::audio})
    if (name == net::name(media)) return media;
  return net::Stream::other;
}

render::ReceivedStream read_stream(const Json &told, std::uint32_t subscriber) {
  render::ReceivedStream stream;
  stream.subscriber = subscriber;
  stream.participant = static_cast<std::uint32_t>(whole(told, "participant_id"));
  stream.ssrc = static_cast<std::uint32_t>(whole(told, "ssrc"));
  stream.media = media_named(told["media"].text_or(""));
  stream.stats = read_stats(told);
  stream.lost_in_network = whole(told, "packets_lost_in_network");
  stream.retransmitted = whole(told, "packets_retransmitted");
  stream.repaired = whole(told, "packets_repaired");
  return stream;
}

render::Reception read_reception(const std::string &body) {
  const auto parsed = parse_json(body);
  if (!parsed) throw Failure(Exit::other, "the daemon's reply: " + parsed.error().message);
  const Json root(parsed->get());
  render::Reception now;
  now.seconds = root["seconds"].number_or(0);
  for (std::size_t i = 0; i < root["subscribers"].size(); ++i) {
    const Json told = root["subscribers"].at(i);
    render::Subscriber one;
    one.id = static_cast<std::uint32_t>(whole(told, "subscriber_id"));
    one.source = told["source"].text_or("");
    one.state = told["state"].text_or("");
    one.reason = told["reason"].text_or("");
    one.join_ms = told["join_time_ms"].number();
    one.first_packet_ms = told["time_to_first_packet_ms"].number();
    one.first_keyframe_ms = told["time_to_first_keyframe_ms"].number();
    now.not_rtp += static_cast<std::uint64_t>(whole(told, "packets_unexplained"));
    now.subscribers.push_back(one);
    for (std::size_t s = 0; s < told["streams"].size(); ++s)
      now.streams.push_back(read_stream(told["streams"].at(s), one.id));
  }
  return now;
}

// The participants of a test elsewhere, as many as asked for; 0: all.
std::string participants_of(const std::string &url, const std::string &token, const std::string &test,
                            std::size_t wanted) {
  HttpClient http(url, token);
  std::string ids, after;
  for (std::size_t count = 0;;) {
    const Reply reply = http.expect("GET",
                                    "/api/v1/test/" + test + "/participants?limit=" + std::to_string(kPage) +
                                        (after.empty() ? "" : "&after=" + after),
                                    {}, Exit::no_start);
    const auto parsed = parse_json(reply.body);
    if (!parsed) throw Failure(Exit::no_start, url + ": the list of participants is no JSON");
    const Json root(parsed->get());
    for (std::size_t i = 0; i < root["participants"].size() && (wanted == 0 || count < wanted); ++i, ++count)
      ids += (ids.empty() ? "" : ",") + std::to_string(whole(root["participants"].at(i), "participant_id"));
    after = root["next"].scalar();
    if (!after.empty() && (wanted == 0 || count < wanted)) continue;
    if (wanted > count)
      throw Failure(Exit::bad_input, "--webrtc: test \"" + test + "\" has " + std::to_string(count) +
                                         " participants, not " + std::to_string(wanted));
    return ids;
  }
}

std::size_t count_of(const std::string &word) {
  if (word == "all") return 0;
  char *end = nullptr;
  const unsigned long count = std::strtoul(word.c_str(), &end, 10);
  if (word.empty() || *end != '\0' || count == 0 || count > 100000 || word[0] == '-')
    throw Failure(Exit::bad_input, "--webrtc: \"" + word + "\" is neither a number of participants nor \"all\"");
  return count;
}

std::string wanted_json(const ReceiveOptions &options, const std::string &token) {
  std::string body = "{";
  if (!token.empty()) body += "\"token\":" + quoted(token) + ",";
  if (!options.webrtc.empty()) {
    if (!options.whep.empty()) throw Failure(Exit::bad_input, "--webrtc contradicts --whep: one of them");
    if (options.webrtc.size() < 2 || options.webrtc.size() > 3)
      throw Failure(Exit::bad_input, "--webrtc takes BASE_URL TEST and, if you like, N or all");
    const auto url = normal_base_url(options.webrtc[0]);
    if (!url) throw Failure(Exit::bad_input, "--webrtc: " + url.error().text());
    const std::size_t count = count_of(options.webrtc.size() == 3 ? options.webrtc[2] : "all");
    return body + "\"webrtc\":{\"base_url\":" + quoted(*url) + ",\"test_id\":" + quoted(options.webrtc[1]) +
           ",\"participants\":[" + participants_of(*url, token, options.webrtc[1], count) + "]}}";
  }
  std::string urls;
  for (const auto &url : options.whep) urls += (urls.empty() ? "" : ",") + quoted(url);
  return body + "\"whep\":[" + urls + "]}";
}

bool is_over(const render::Subscriber &one) { return one.state == "failed" || one.state == "closed"; }

// What was said once is not said again.
class News {
 public:
  explicit News(render::Terminal &screen) : screen_(screen) {}
  void tell(const render::Reception &now) {
    for (const auto &one : now.subscribers)
      if (is_over(one) && told_.insert(one.id).second)
        screen_.line("subscriber " + std::to_string(one.id) + " (" + one.source + "): " + one.state + ": " +
                     one.reason);
  }

 private:
  render::Terminal &screen_;
  std::set<std::uint32_t> told_;
};

bool any_left(const render::Reception &now) {
  for (const auto &one : now.subscribers)
    if (!is_over(one)) return true;
  return false;
}

// A turn of the main context at least every 50 ms until then, or until a signal.
void wait_until(Clock::time_point until, const StopSignals &signals) {
  const guint tick = g_timeout_add(
      50, [](gpointer) noexcept -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
  while (!signals.asked() && Clock::now() < until) g_main_context_iteration(nullptr, TRUE);
  g_source_remove(tick);
}

std::string begin(Server &server, const std::string &body) {
  const Reply reply = server.http().expect("POST", kPath, body);
  const auto parsed = parse_json(reply.body);
  return std::string(kPath) + "/" + (parsed ? Json(parsed->get())["subscription_id"].text_or("") : "");
}

Exit exit_of(const render::Reception &all) {
  bool any = false, failed = false;
  for (const auto &stream : all.streams) any = any || stream.stats.packets_received > 0;
  for (const auto &one : all.subscribers) failed = failed || one.state == "failed" || !one.first_packet_ms;
  return !any ? Exit::nothing_arrived : failed ? Exit::other : Exit::ok;
}

std::vector<std::string> flags_of(const ReceiveOptions &options) {
  std::vector<std::string> flags;
  for (const auto &address : options.ice_addresses) flags.insert(flags.end(), {"--ice-address", address});
  for (const auto &range : options.allow_targets) flags.insert(flags.end(), {"--allow-target", range});
  return flags;
}

}  // namespace

Exit subscribe(const ReceiveOptions &options) {
  const auto limit = options.duration.empty() ? std::nullopt : parse_duration(options.duration);
  if (!options.duration.empty() && !limit)
    throw Failure(Exit::bad_input,
                  "--duration \"" + options.duration + "\": expected seconds, or a time such as 90s, 25m, 1h");
  const StopSignals signals;
  const char *own_token = std::getenv("AVCHAOS_TOKEN");
  const std::string token = !options.token.empty() ? options.token : own_token != nullptr ? own_token : "";
  const std::string body = wanted_json(options, token);
  Server server = Server::own({}, flags_of(options));
  render::Terminal screen(options.json ? stderr : stdout);
  const bool quiet = options.json && !screen.is_tty();
  const std::string path = begin(server, body);
  const auto started = Clock::now();
  const auto end =
      limit ? started + std::chrono::duration_cast<Clock::duration>(Seconds(*limit)) : Clock::time_point::max();
  News news(screen);
  render::Reception before;
  for (int second = 1; !signals.asked() && Clock::now() < end; ++second) {
    wait_until(std::min(end, started + std::chrono::seconds(second)), signals);
    if (const auto why = server.death()) throw Failure(Exit::other, *why);
    render::Reception now = read_reception(server.http().expect("GET", path).body);
    news.tell(now);
    if (!any_left(now)) break;
    if (quiet || now.seconds - before.seconds < (screen.is_tty() ? 1 : 5) - 0.1) continue;
    screen.line(render::reception_line(before, now));
    before = std::move(now);
  }
  const render::Reception all = read_reception(server.http().expect("DELETE", path).body);
  news.tell(all);
  if (options.json)
    render::Terminal(stdout).text(render::reception_json(all));
  else
    screen.text(render::reception_block(all, options.per_participant, screen.columns(), screen.paint()));
  return exit_of(all);
}

}  // namespace avc::tools
