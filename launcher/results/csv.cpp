#include "launcher/results/csv.hpp"

#include "launcher/http/json_writer.hpp"
#include "launcher/results/json_view.hpp"

namespace avc::results {
namespace {

constexpr struct {
  const char *name, *group, *member;
} kColumns[] = {
    {"t_seconds", nullptr, "t"},
    {"participants", nullptr, "participants"},
    {"sent_packets", "sent", "packets"},
    {"sent_bytes", "sent", "bytes"},
    {"sent_frames", "sent", "frames"},
    {"sent_packets_per_second", "sent", "packets_per_second"},
    {"sent_kbps", "sent", "kbps"},
    {"injected_loss_percent", "sent", "lost_percent"},
    {"injected_delay_ms", "sent", "delay_ms"},
    {"queue_ms", "sent", "queue_ms"},
    {"received_packets", "received", "packets"},
    {"received_lost", "received", "lost"},
    {"loss_percent", "received", "loss_percent"},
    {"jitter_ms", "received", "jitter_ms"},
    {"mos_score", "received", "mos_score"},
    {"frames_complete_percent", "received", "frames_complete_percent"},
    {"freezes", "received", "freezes"},
    {"received_kbps", "received", "kbps"},
    {"fps", "received", "fps"},
    {"participants_seen", "received", "participants_seen"},
    {"late_p99_ms", "generator", "late_p99_ms"},
    {"send_errors", "generator", "send_errors"},
    {"receiver_kernel_drops", "generator", "receiver_kernel_drops"},
};

std::string quoted(const std::string &text) {
  // A spreadsheet would run a text that begins like a formula.
  std::string out = "\"";
  if (!text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos) out += '\'';
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

std::string samples_csv(std::string_view report_json) {
  const Report report(report_json);
  std::string out;
  for (const auto &column : kColumns) out += std::string(column.name) + ',';
  out += "spikes_active\r\n";
  for (const auto &sample : report.root()["samples"].items()) {
    for (const auto &column : kColumns) {
      const auto value = (column.group ? sample[column.group] : sample)[column.member].number();
      out += (value ? json::json_number(*value) : "") + ',';
    }
    std::string spikes;
    for (const auto &id : sample["spikes_active"].items()) spikes += (spikes.empty() ? "" : " ") + id.text();
    out += (spikes.empty() ? "" : quoted(spikes)) + "\r\n";
  }
  return out;
}

}  // namespace avc::results
