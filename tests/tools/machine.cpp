#include "tools/machine.hpp"

#include <sys/resource.h>

#include "tests/tools/same.hpp"
#include "tools/common/files.hpp"

using namespace avc::tools;

namespace {

// A root folder with the files a check reads.
struct Machine {
  TemporaryDirectory root;
  void file(const char *path, const char *text) {
    const auto at = root.path() / path;
    make_directory(at.parent_path());
    write_file(at, text);
  }
  Finding finding(const std::string &what) {
    for (const auto &one : check_files(root.path()))
      if (one.what == what) return one;
    ck_abort_msg("no finding %s", what.c_str());
    return {};
  }
};

}  // namespace

START_TEST(small_buffers_are_warned_of_with_the_command_that_raises_them) {
  Machine machine;
  machine.file("proc/sys/net/core/rmem_max", "212992\n");
  machine.file("proc/sys/net/core/wmem_max", "8388608\n");
  const Finding small = machine.finding("receive buffer limit");
  ck_assert(small.health == Health::warn);
  ck_same(small.advice, "sysctl -w net.core.rmem_max=8388608");
  ck_assert(machine.finding("send buffer limit").health == Health::ok);
}
END_TEST

START_TEST(a_slow_clock_is_warned_of) {
  Machine machine;
  const char *const path = "sys/devices/system/clocksource/clocksource0/current_clocksource";
  machine.file(path, "tsc\n");
  ck_assert(machine.finding("clock source").health == Health::ok);
  machine.file(path, "hpet\n");
  ck_assert(machine.finding("clock source").health == Health::warn);
}
END_TEST

START_TEST(a_processor_limit_is_told_in_processors) {
  Machine machine;
  ck_assert(machine.finding("processor limit").health == Health::ok);
  machine.file("sys/fs/cgroup/cpu.max", "max 100000\n");
  ck_assert(machine.finding("processor limit").health == Health::ok);
  machine.file("sys/fs/cgroup/cpu.max", "150000 100000\n");
  const Finding limited = machine.finding("processor limit");
  ck_assert(limited.health == Health::warn);
  ck_assert_msg(limited.detail.starts_with("1.50 processors"), "%s", limited.detail.c_str());
  machine.file("sys/fs/cgroup/cpu.max", "150000 0\n");
  ck_assert(machine.finding("processor limit").health == Health::warn);
}
END_TEST

START_TEST(unreadable_files_are_warnings_not_faults) {
  Machine machine;
  for (const auto &one : check_files(machine.root.path())) ck_assert(one.health != Health::fail);
}
END_TEST

START_TEST(too_few_open_files_are_a_warning_and_very_few_a_fault) {
  ck_assert(judge_open_files(20000, 20000).health == Health::ok);
  ck_assert(judge_open_files(RLIM_INFINITY, RLIM_INFINITY).health == Health::ok);
  ck_same(judge_open_files(1024, 1048576).advice, "ulimit -n 4096");
  ck_assert(judge_open_files(1024, 1048576).health == Health::warn);
  ck_assert(judge_open_files(100, 1024).health == Health::fail);
}
END_TEST

START_TEST(the_kernel_is_asked_without_faults_here) {
  const auto findings = check_kernel();
  ck_assert_uint_eq(findings.size(), 4);
  for (const auto &one : findings) ck_assert_msg(!one.detail.empty(), "%s", one.what.c_str());
}
END_TEST

AVC_TESTS("tools_machine", small_buffers_are_warned_of_with_the_command_that_raises_them, a_slow_clock_is_warned_of,
          a_processor_limit_is_told_in_processors, unreadable_files_are_warnings_not_faults,
          too_few_open_files_are_a_warning_and_very_few_a_fault, the_kernel_is_asked_without_faults_here)
