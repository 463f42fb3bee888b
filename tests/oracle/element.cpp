// The probe's stream through chaosdegrader, and what its decision log says became of each packet. Jobs come as
// job.hpp says; a setting is the property of that name.
//
// The clock is a test clock far ahead of all packets: whatever the element decides is due at once, and the delays in
// the log are those decided, so that an hour of packets takes seconds.
#include <filesystem>
#include <fstream>

#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
#include <gst/gst.h>

#include "elements/support/chaos_events.hpp"
#include "elements/support/ptr.hpp"
#include "tests/oracle/job.hpp"
#include "tests/oracle/record.hpp"

using namespace avc;

namespace avc {
AVC_FREES(GstHarness, gst_harness_teardown)
}

namespace {

constexpr std::uint32_t kSsrc = 1001000;
constexpr GstClockTime kFarAhead = 24 * 3600 * GST_SECOND;

Ptr<GstBuffer> packet_of(const oracle::Job &job, std::uint64_t n) {
  std::vector<std::uint8_t> bytes(job.bytes);
  bytes[0] = 0x80;
  bytes[1] = 96;
  bytes[2] = static_cast<std::uint8_t>(n >> 8);
  bytes[3] = static_cast<std::uint8_t>(n);
  for (int i = 0; i < 4; ++i) bytes[8 + i] = static_cast<std::uint8_t>(kSsrc >> (24 - 8 * i));
  auto buffer = take(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(job.sent(n).since_origin.count());
  return buffer;
}

void push_all(const oracle::Job &job, const std::string &log) {
  auto clock = take(gst_test_clock_new_with_start_time(kFarAhead));
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("chaosdegrader", nullptr))));
  for (const auto &[name, value] : job.settings) {
    std::string property = name;
    std::replace(property.begin(), property.end(), '_', '-');
    gst_util_set_object_arg(G_OBJECT(element.get()), property.c_str(), value.c_str());
  }
  g_object_set(element.get(), "decision-log", log.c_str(), nullptr);
  gst_element_set_clock(element.get(), clock.get());
  auto h = take(gst_harness_new_with_element(element.get(), "sink", "src"));
  gst_element_set_base_time(element.get(), 0);
  gst_harness_set_drop_buffers(h.get(), TRUE);
  gst_harness_set_src_caps_str(h.get(), "application/x-rtp");
  gst_harness_push_event(h.get(),
                         give(make_event(ParticipantInfo{oracle::kParticipant, kSsrc, kSsrc + 1, 96, 111, job.seed})));
  for (std::uint64_t n = 0; n < job.packets; ++n) gst_harness_push(h.get(), give(packet_of(job, n)));
  gst_harness_push_event(h.get(), gst_event_new_eos());
}

// The number after "NAME": in a line of the log; microseconds with three decimals are read as whole nanoseconds.
std::optional<std::uint64_t> number_of(const std::string &line, const std::string &name, bool nanoseconds = false) {
  const auto place = line.find("\"" + name + "\":");
  if (place == std::string::npos) return std::nullopt;
  std::string digits = line.substr(place + name.size() + 3);
  digits.resize(digits.find_first_of(",}"));
  if (nanoseconds) digits.erase(digits.find('.'), 1);
  return std::stoull(digits);
}

// An empty text, or what was wrong.
std::string read_log(const oracle::Job &job, const std::string &path) {
  oracle::Record record{static_cast<std::uint32_t>(job.bytes)};
  for (std::uint64_t n = 0; n < job.packets; ++n) record.sent(job.sent(n));
  std::ifstream log(path);
  std::string line;
  std::uint64_t n = 0;
  for (; std::getline(log, line); ++n) {
    if (number_of(line, "n") != n) return "the log has a hole or another order at packet " + std::to_string(n);
    const bool dropped =
        line.find("\"fate\":\"lost\"") != std::string::npos || line.find("-dropped\"") != std::string::npos;
    if (dropped) continue;
    const auto bit = [&](const char *name) {
      return static_cast<std::uint32_t>(number_of(line, name).value_or(oracle::kNoBit));
    };
    const auto at = [&](std::uint64_t delay) { return job.sent(n) + Nanos(static_cast<std::int64_t>(delay)); };
    record.arrived(at(number_of(line, "delay_us", true).value()), n, bit("bit"));
    if (const auto copy = number_of(line, "copy_delay_us", true)) record.arrived(at(*copy), n, bit("copy_bit"));
  }
  if (n != job.packets) return "the log has " + std::to_string(n) + " packets";
  return record.write(job.out) ? "" : "cannot write " + job.out;
}

}  // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (!gst_registry_check_feature_version(gst_registry_get(), "chaosdegrader", 0, 1, 0)) {
    std::cerr << "chaosdegrader is not in GST_PLUGIN_PATH_1_0\n";
    return 2;
  }
  oracle::Job job;
  while (oracle::next_job(std::cin, job)) {
    const std::string log = job.out + ".jsonl";
    push_all(job, log);
    const std::string fault = read_log(job, log);
    std::filesystem::remove(log);
    if (!fault.empty()) {
      std::cerr << job.out << ": " << fault << '\n';
      return 1;
    }
  }
  return std::cin.eof() ? 0 : 2;
}
