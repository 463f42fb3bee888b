#include "tools/calibrate.hpp"

#include <algorithm>
#include <cstdlib>

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/common/json.hpp"
#include "tools/common/server.hpp"
#include "tools/common/signals.hpp"

namespace avc::tools {
namespace fs = std::filesystem;
namespace {

// Jitter parks every packet, bursts of loss take some: the dear case, so that runs with less fit in too.
constexpr const char *kChaos = R"({"delay_ms":15,"jitter_ms":15,"loss_percent":2,"burst_length":3})";
constexpr double kLeastCost = 1e-7;  // of a receiver, where the two runs differ by less than their noise

// A port that takes packets and throws them away: they are sent as to another machine.
class Sink {
 public:
  Sink() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr *>(&address), size) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr *>(&address), &size) != 0)
      throw Failure(Exit::no_start, "no UDP port can be opened on loopback");
    port_ = ntohs(address.sin_port);
  }
  ~Sink() { close(fd_); }
  Sink(const Sink &) = delete;
  Sink &operator=(const Sink &) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

void wait_a_moment() {
  const guint timer = g_timeout_add(
      200, [](gpointer) noexcept -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
  const auto until = g_get_monotonic_time() + 200'000;
  while (g_get_monotonic_time() < until) g_main_context_iteration(nullptr, TRUE);
  g_source_remove(timer);
}

struct Run {
  double cost = 0;
  std::string machine;
};

// By a daemon of its own: one in which an earlier run was late, as on a slow machine, would take no other.
Run run_once(const CalibrationRuns &runs, const std::string &target, const StopSignals &signals) {
  const std::string scenario = R"({"num_participants":)" + std::to_string(runs.participants) +
                               R"(,"duration_seconds":)" + std::to_string(runs.seconds) +
                               R"(,"seed":1,"renditions":[2500],"network_profile":)" + kChaos + R"(,"target":)" +
                               target + "}";
  Server server = Server::own();
  const auto created = parse_json(server.http().expect("POST", "/api/v1/test/create", scenario).body);
  if (!created) throw Failure(Exit::other, "the daemon's answer cannot be read");
  const std::string path = "/api/v1/test/" + Json(created->get())["test_id"].text_or("");
  server.http().expect("POST", path + "/start", "{}", Exit::no_start);
  for (std::string state = "running"; state == "running" || state == "stopping";) {
    wait_a_moment();
    if (const auto why = server.death()) throw Failure(Exit::other, *why);
    if (signals.asked()) throw Failure(Exit::signal, "stopped before there was a result");
    const auto now = parse_json(server.http().expect("GET", path).body);
    state = now ? Json(now->get())["state"].text_or("") : "";
  }
  const auto report = parse_json(server.http().expect("GET", path + "/report.json").body);
  if (!report) throw Failure(Exit::other, "the daemon's report cannot be read");
  const Json all(report->get()), generator = all["generator"];
  const double packets = generator["packets_sent"].number_or(0);
  const double used = generator["machine"]["own_cpu_seconds"].number_or(0);
  if (packets <= 0 || used <= 0)
    throw Failure(Exit::nothing_arrived, "nothing was sent: " + all["reason"].text_or("no reason told"));
  return {used / packets, all["environment"]["Processor"].text_or("")};
}

}  // namespace

fs::path calibration_path() {
  const auto set = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (const std::string named = set("AVCHAOS_CALIBRATION"); !named.empty()) return named;
  const std::string state = set("XDG_STATE_HOME");
  const fs::path home = state.empty() ? fs::path(set("HOME")) / ".local/state" : fs::path(state);
  return home / "gst-avchaos" / "calibration.json";
}

PacketCosts measure_packet_costs(const CalibrationRuns &runs) {
  const StopSignals signals;
  const Sink sink;
  const std::string away = R"({"transport":"udp","host":"127.0.0.1","port":)" + std::to_string(sink.port()) + "}";
  CalibrationRuns first = runs;
  first.participants = 1;
  first.seconds = std::min(runs.seconds, 1.0);
  run_once(first, away, signals);  // prepares the media, which is no packet's cost
  const Run sent = run_once(runs, away, signals);
  const Run both = run_once(runs, R"({"transport":"loopback"})", signals);
  return {sent.cost, std::max(kLeastCost, both.cost - sent.cost), sent.machine, runs.participants};
}

std::string calibration_json(const PacketCosts &costs, const std::string &measured_at) {
  const auto builder = take(json_builder_new());
  JsonBuilder *b = builder.get();
  const auto member = [b](const char *name) { json_builder_set_member_name(b, name); };
  json_builder_begin_object(b);
  member("format");
  json_builder_add_int_value(b, 1);
  member("measured_at");
  json_builder_add_string_value(b, measured_at.c_str());
  member("machine");
  json_builder_add_string_value(b, costs.machine.c_str());
  member("participants");
  json_builder_add_int_value(b, costs.participants);
  member("seconds_per_packet");
  json_builder_begin_object(b);
  member("sender");
  json_builder_add_double_value(b, costs.sender);
  member("receiver");
  json_builder_add_double_value(b, costs.receiver);
  json_builder_end_object(b);
  json_builder_end_object(b);
  return to_text(take(json_builder_get_root(b)).get(), true) + "\n";
}

}  // namespace avc::tools
