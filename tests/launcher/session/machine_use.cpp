// What is read off /proc and the container's limits, from files the test writes, and off the real ones.
#include "launcher/session/machine_use.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/check.hpp"

using namespace avc::session;
namespace fs = std::filesystem;

namespace {

class FakeRoot {
 public:
  FakeRoot() : path_(fs::temp_directory_path() / ("avchaos-machine-" + std::to_string(getpid()))) {}
  ~FakeRoot() { fs::remove_all(path_); }
  void write(const std::string &name, const std::string &text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  void thread(int id, const std::string &name, const std::string &schedstat) const {
    const std::string task = "proc/self/task/" + std::to_string(id);
    write(task + "/comm", name + "\n");
    write(task + "/schedstat", schedstat + "\n");
  }
  const fs::path &path() const { return path_; }

 private:
  fs::path path_;
};

const double kTicks = static_cast<double>(sysconf(_SC_CLK_TCK));
std::string stat_line(const char *name, int user, int system, int idle, int steal) {
  return std::string(name) + " " + std::to_string(user) + " 0 " + std::to_string(system) + " " + std::to_string(idle) +
         " 50 7 3 " + std::to_string(steal) + " 0 0\n";
}

}  // namespace

START_TEST(a_stretch_is_the_difference_of_two_readings) {
  const FakeRoot root;
  root.write("proc/stat", stat_line("cpu", 100, 50, 900, 10) + stat_line("cpu0", 1, 1, 1, 1) +
                              stat_line("cpu1", 1, 1, 1, 1) + "intr 1 2 3\ncpu2 not reached\n");
  root.write("sys/fs/cgroup/cpu.stat", "usage_usec 5\nthrottled_usec 1000000\n");
  root.thread(7, "avc:c0", "1000000000 500000000 10");
  root.thread(8, "gmain", "9000000000 9000000000 10");
  const auto before = read_machine(5, root.path());
  ck_assert_uint_eq(before.processors, 2);
  root.write("proc/stat", stat_line("cpu", 150, 70, 950, 40) + stat_line("cpu0", 1, 1, 1, 1));
  root.write("sys/fs/cgroup/cpu.stat", "usage_usec 5\nthrottled_usec 1250000\n");
  root.thread(7, "avc:c0", "1300000000 600000000 10");
  root.thread(9, "avc:c1", "400000000 50000000 10");  // new in between
  const auto use = use_between(before, read_machine(7, root.path()));
  constexpr double kTolerance = 1e-9;
  ck_assert_double_eq_tol(use.seconds, 2, kTolerance);
  ck_assert_uint_eq(use.processors, 1);
  ck_assert_double_eq_tol(use.machine_cpu_seconds, 70 / kTicks, kTolerance);
  ck_assert_double_eq_tol(use.steal_seconds, 30 / kTicks, kTolerance);
  ck_assert_double_eq_tol(use.throttled_seconds, 0.25, kTolerance);
  ck_assert_double_eq_tol(use.waited_seconds, 0.1, kTolerance);
  ck_assert_double_eq_tol(use.busiest_seconds, 0.4, kTolerance);
  avc_assert_text(use.busiest, "avc:c1");
}
END_TEST

START_TEST(what_cannot_be_read_is_nothing) {
  const FakeRoot root;
  const auto reading = read_machine(1, root.path());
  ck_assert_uint_eq(reading.processors, 1);
  ck_assert_double_eq(reading.machine_cpu_seconds, 0);
  ck_assert_double_eq(reading.throttled_seconds, 0);
  ck_assert(reading.senders.empty());
}
END_TEST

START_TEST(this_machine_has_processors_that_were_used) {
  const auto reading = read_machine(1);
  ck_assert_uint_ge(reading.processors, 1);
  ck_assert(reading.machine_cpu_seconds > 0 && reading.own_cpu_seconds >= 0);
}
END_TEST

AVC_TESTS("machine_use", a_stretch_is_the_difference_of_two_readings, what_cannot_be_read_is_nothing,
          this_machine_has_processors_that_were_used)
