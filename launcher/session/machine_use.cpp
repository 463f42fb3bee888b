#include "launcher/session/machine_use.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

namespace avc::session {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSender = "avc:";  // what the threads of contexts are called

double seconds_of(const timeval &time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// "cpu  user nice system idle iowait irq softirq steal guest guest_nice" in ticks; guests are in user and nice already.
void read_stat(const fs::path &root, MachineReading &reading) {
  std::ifstream in(root / "proc/stat");
  const double ticks = static_cast<double>(std::max(1L, sysconf(_SC_CLK_TCK)));
  unsigned processors = 0;
  for (std::string line; std::getline(in, line) && line.starts_with("cpu");) {
    std::istringstream words(line);
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, io = 0, irq = 0, soft = 0, steal = 0;
    words >> name >> user >> nice >> system >> idle >> io >> irq >> soft >> steal;
    if (name != "cpu") {
      ++processors;
      continue;
    }
    reading.machine_cpu_seconds = (user + nice + system + irq + soft) / ticks;
    reading.steal_seconds = steal / ticks;
  }
  reading.processors = std::max(1u, processors);
}

void read_limit(const fs::path &root, MachineReading &reading) {
  std::ifstream in(root / "sys/fs/cgroup/cpu.stat");
  std::string key;
  for (double value = 0; in >> key >> value;)
    if (key == "throttled_usec") reading.throttled_seconds = value / 1e6;
}

// schedstat: nanoseconds on a processor, nanoseconds waiting for one, times it got one.
void read_threads(const fs::path &root, MachineReading &reading) {
  std::error_code fault;
  for (const auto &task : fs::directory_iterator(root / "proc/self/task", fault)) {
    MachineReading::Thread thread;
    std::ifstream(task.path() / "comm") >> thread.name;
    if (!thread.name.starts_with(kSender)) continue;
    double ran = 0, waited = 0;
    std::ifstream(task.path() / "schedstat") >> ran >> waited;
    thread.ran_seconds = ran / 1e9;
    thread.waited_seconds = waited / 1e9;
    reading.senders[task.path().filename().string()] = thread;
  }
}

}  // namespace

MachineReading read_machine(double at, const fs::path &root) {
  MachineReading reading;
  reading.at = at;
  read_stat(root, reading);
  read_limit(root, reading);
  read_threads(root, reading);
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  reading.own_cpu_seconds = seconds_of(own.ru_utime) + seconds_of(own.ru_stime);
  reading.involuntary_switches = static_cast<std::uint64_t>(own.ru_nivcsw);
  return reading;
}

results::MachineUse use_between(const MachineReading &before, const MachineReading &now) {
  results::MachineUse use;
  use.seconds = std::max(0.0, now.at - before.at);
  use.processors = now.processors;
  use.own_cpu_seconds = now.own_cpu_seconds - before.own_cpu_seconds;
  use.machine_cpu_seconds = std::max(0.0, now.machine_cpu_seconds - before.machine_cpu_seconds);
  use.steal_seconds = std::max(0.0, now.steal_seconds - before.steal_seconds);
  use.throttled_seconds = std::max(0.0, now.throttled_seconds - before.throttled_seconds);
  use.involuntary_switches = now.involuntary_switches - before.involuntary_switches;
  for (const auto &[id, thread] : now.senders) {
    const auto known = before.senders.find(id);
    const auto was = known == before.senders.end() ? MachineReading::Thread() : known->second;
    use.waited_seconds = std::max(use.waited_seconds, thread.waited_seconds - was.waited_seconds);
    if (const double ran = thread.ran_seconds - was.ran_seconds; ran > use.busiest_seconds) {
      use.busiest_seconds = ran;
      use.busiest = thread.name;
    }
  }
  return use;
}

}  // namespace avc::session
