// `avchaos receive`: measures the RTP that arrives on a port, whoever sends it. Prints a line a second on a terminal,
// every five seconds elsewhere, and everything at the end (a signal, or --duration).
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include <glib.h>

#include "core/runtime/rtp_receiver.hpp"
#include "tools/commands.hpp"
#include "tools/common/signals.hpp"
#include "tools/common/words.hpp"
#include "tools/render/reception.hpp"
#include "tools/render/terminal.hpp"

namespace avc::tools {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

render::Reception moment(const runtime::RtpReceiver &receiver, Clock::time_point started) {
  render::Reception now;
  now.seconds = Seconds(Clock::now() - started).count();
  for (const auto &stream : receiver.snapshot())
    now.streams.push_back({stream.participant_id, stream.ssrc, stream.media, stream.stats});
  const auto totals = receiver.totals();
  now.rtcp_packets = totals.rtcp_packets;
  now.not_rtp = totals.not_rtp;
  now.kernel_drops = totals.kernel_drops;
  return now;
}

std::optional<Seconds> limit_of(const std::string &duration) {
  if (duration.empty()) return std::nullopt;
  const auto seconds = parse_duration(duration);
  if (!seconds)
    throw Failure(Exit::bad_input, "--duration \"" + duration + "\": expected seconds, or a time such as 90s, 25m, 1h");
  return Seconds(*seconds);
}

// The port for RTCP is a convenience unless reports are asked for: without it RTCP is still understood on the port.
std::unique_ptr<runtime::RtpReceiver> open(const ReceiveOptions &options) {
  runtime::RtpReceiver::Options wanted;
  wanted.bind_address = options.bind;
  wanted.port = options.port;
  wanted.send_reports = wanted.extended_reports = options.send_reports;
  auto receiver = runtime::RtpReceiver::start(wanted);
  if (!receiver && receiver.error().field == "rtcp" && !options.send_reports) {
    wanted.rtcp = false;
    receiver = runtime::RtpReceiver::start(wanted);
  }
  if (!receiver) throw Failure(Exit::no_start, receiver.error().text());
  return std::move(*receiver);
}

// Prints what came since the last line whenever its time has come, until a signal or the end of `limit`.
void watch(const runtime::RtpReceiver &receiver, Clock::time_point started, std::optional<Seconds> limit,
           render::Terminal &screen, bool quiet, const StopSignals &signals) {
  const Seconds every(screen.is_tty() ? 1 : 5);
  const guint tick = g_timeout_add(
      50, [](gpointer) noexcept -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
  render::Reception before;
  while (!signals.asked() && !(limit && Clock::now() - started >= *limit)) {
    g_main_context_iteration(nullptr, TRUE);
    if (Seconds(Clock::now() - started).count() - before.seconds < every.count()) continue;
    render::Reception now = moment(receiver, started);
    if (!quiet) screen.line(render::reception_line(before, now));
    before = std::move(now);
  }
  g_source_remove(tick);
}

}  // namespace

Exit receive(const ReceiveOptions &options) {
  const auto limit = limit_of(options.duration);
  const StopSignals signals;
  const auto receiver = open(options);
  const auto started = Clock::now();
  render::Terminal screen(options.json ? stderr : stdout);
  screen.line("listening on " + options.bind + ":" + std::to_string(receiver->port()) + " (Ctrl-C ends)");
  watch(*receiver, started, limit, screen, options.json && !screen.is_tty(), signals);
  const render::Reception all = moment(*receiver, started);
  if (options.json)
    render::Terminal(stdout).text(render::reception_json(all));
  else
    screen.text(render::reception_block(all, options.per_participant, screen.columns(), screen.paint()));
  return Exit::ok;
}

}  // namespace avc::tools
