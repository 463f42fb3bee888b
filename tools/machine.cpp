#include "tools/machine.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/render/text.hpp"

namespace avc::tools {
namespace fs = std::filesystem;
namespace {

// From the kernel's uapi, which the C library's headers of Debian 12 carry only in part.
constexpr int kUdpSegment = 103, kUdpGro = 104;
// A second of 1500 participants' traffic is some 500 MB; a scheduling hiccup of 10 ms needs 5 MB of buffer.
constexpr double kWantedBuffer = 8 << 20;
constexpr unsigned long long kWantedFiles = 4096;

std::optional<std::string> first_line(const fs::path &path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  return line;
}

Finding buffer(const fs::path &root, const char *key, const char *what) {
  const auto text = first_line(root / "proc/sys/net/core" / key);
  double bytes = 0;
  if (!text || !(std::istringstream(*text) >> bytes))
    return {Health::warn, what, std::string("net.core.") + key + " cannot be read", ""};
  if (bytes >= kWantedBuffer) return {Health::ok, what, render::grouped(bytes) + " bytes", ""};
  return {Health::warn, what, render::grouped(bytes) + " bytes: bursts of many participants overflow it",
          std::string("sysctl -w net.core.") + key + "=" + render::fixed(kWantedBuffer, 0)};
}

Finding clock_source(const fs::path &root) {
  const auto text = first_line(root / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  if (!text) return {Health::warn, "clock source", "cannot be read", ""};
  if (*text == "hpet" || *text == "acpi_pm" || *text == "jiffies")
    return {Health::warn, "clock source", *text + ": every reading of the time is a slow call",
            "boot with clocksource=tsc if the processor's counter is stable"};
  return {Health::ok, "clock source", *text, ""};
}

// "max 100000" or "150000 100000": quota and period in microseconds.
Finding cpu_limit(const fs::path &root) {
  const auto text = first_line(root / "sys/fs/cgroup/cpu.max");
  if (!text || text->starts_with("max")) return {Health::ok, "processor limit", "none", ""};
  double quota = 0, period = 0;
  if (!(std::istringstream(*text) >> quota >> period) || period <= 0)
    return {Health::warn, "processor limit", "cpu.max says \"" + *text + "\"", ""};
  return {Health::warn, "processor limit",
          render::fixed(quota / period, 2) + " processors (cgroup cpu.max): packets are late when it is used up",
          "raise the container's CPU limit, or run without one"};
}

Finding socket_option(const char *what, int option, int value, const char *otherwise) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {Health::fail, what, std::string("no UDP socket: ") + std::strerror(errno), "allow UDP sockets"};
  const bool works = setsockopt(fd, IPPROTO_UDP, option, &value, sizeof value) == 0;
  const int why = errno;
  close(fd);
  if (works) return {Health::ok, what, "supported", ""};
  return {Health::warn, what, std::string(std::strerror(why)) + ": " + otherwise, "use Linux 5.0 or later"};
}

Finding processors() {
  const unsigned count = std::thread::hardware_concurrency();
  if (count >= 2) return {Health::ok, "processors", std::to_string(count), ""};
  return {Health::warn, "processors", std::to_string(count) + ": sender and receiver share it",
          "use two or more for runs that measure"};
}

}  // namespace

Finding judge_open_files(unsigned long long soft, unsigned long long hard) {
  const std::string detail = render::grouped(static_cast<double>(soft));
  if (soft == RLIM_INFINITY) return {Health::ok, "open files", "no limit", ""};
  if (soft >= kWantedFiles) return {Health::ok, "open files", detail, ""};
  const bool raisable = hard == RLIM_INFINITY || hard >= kWantedFiles;
  const std::string wanted = std::to_string(kWantedFiles);
  return {soft < 256 ? Health::fail : Health::warn, "open files", detail,
          raisable ? "ulimit -n " + wanted : "raise the hard limit (limits.conf or LimitNOFILE) to " + wanted};
}

std::vector<Finding> check_files(const fs::path &root) {
  return {buffer(root, "rmem_max", "receive buffer limit"), buffer(root, "wmem_max", "send buffer limit"),
          clock_source(root), cpu_limit(root)};
}

std::vector<Finding> check_kernel() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  return {socket_option("UDP segmentation offload", kUdpSegment, 1200, "one system call more per packet"),
          socket_option("UDP receive offload", kUdpGro, 1, "packets are read one by one"),
          judge_open_files(files.rlim_cur, files.rlim_max), processors()};
}

}  // namespace avc::tools
