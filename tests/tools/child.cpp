#include "tools/common/child.hpp"

#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tools/same.hpp"
#include "tools/common/files.hpp"

using namespace avc::tools;
using namespace std::chrono_literals;

namespace {

struct Shell {
  TemporaryDirectory home;
  Child child;
  explicit Shell(const char *script) : child("/bin/sh", {"-c", script}, {"AVC_WORD=hello"}, home.path() / "log") {}
};

// Whether the other end of a pipe is closed by everybody within 10 s.
bool closes(int fd) {
  pollfd wait{fd, POLLIN, 0};
  char byte = 0;
  return poll(&wait, 1, 10000) == 1 && read(fd, &byte, 1) == 0;
}

}  // namespace

START_TEST(its_lines_are_read_one_by_one_and_its_end_is_seen) {
  Shell shell("echo one; echo $AVC_WORD; exit 3");
  ck_same(shell.child.read_line(10s).value_or("-"), "one");
  ck_same(shell.child.read_line(10s).value_or("-"), "hello");
  ck_assert(!shell.child.read_line(10s));
  shell.child.end();
  ck_assert(!shell.child.running());
  ck_same(shell.child.how_it_ended(), "exited with 3");
}
END_TEST

START_TEST(its_last_words_are_the_end_of_standard_error) {
  Shell shell("for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; echo done");
  ck_same(shell.child.read_line(10s).value_or("-"), "done");
  ck_same(shell.child.last_words(), "\n  line 3\n  line 4\n  line 5\n  line 6\n  line 7");
}
END_TEST

START_TEST(a_line_that_does_not_come_is_not_waited_for_longer_than_asked) {
  Shell shell("sleep 600");
  ck_assert(!shell.child.read_line(10ms));
  ck_assert(shell.child.running());
}
END_TEST

START_TEST(one_that_will_not_end_is_made_to) {
  Shell shell("trap '' TERM; echo ready; while :; do sleep 600; done");
  ck_same(shell.child.read_line(10s).value_or("-"), "ready");
  shell.child.end(50ms);
  ck_assert(!shell.child.running());
  ck_same(shell.child.how_it_ended(), "ended by signal 9");
}
END_TEST

START_TEST(it_is_out_of_reach_of_the_terminals_signals) {
  Shell shell("cut -d ' ' -f 5 /proc/$$/stat; sleep 600");
  const auto group = shell.child.read_line(10s);
  ck_assert(group.has_value());
  ck_assert_int_ne(std::atoi(group->c_str()), getpgrp());
}
END_TEST

// The child holds the writing end of a pipe; it closes when the child is gone, however that comes.
START_TEST(it_does_not_outlive_a_parent_that_is_killed) {
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    close(ends[0]);
    TemporaryDirectory home;
    Child child("/bin/sh", {"-c", "trap '' TERM; echo ready; exec sleep 600"}, {}, home.path() / "log");
    child.read_line(10s);
    std::filesystem::remove_all(home.path());
    raise(SIGKILL);
  }
  close(ends[1]);
  int status = 0;
  ck_assert_int_eq(waitpid(parent, &status, 0), parent);
  ck_assert(WIFSIGNALED(status));
  ck_assert(closes(ends[0]));
  close(ends[0]);
}
END_TEST

START_TEST(what_it_goes_on_printing_does_not_stop_it) {
  Shell shell(
      "echo ready; i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done");
  ck_same(shell.child.read_line(10s).value_or("-"), "ready");
  while (shell.child.running()) {
  }
  ck_same(shell.child.how_it_ended(), "exited with 0");
}
END_TEST

AVC_TESTS("tools_child", its_lines_are_read_one_by_one_and_its_end_is_seen,
          its_last_words_are_the_end_of_standard_error, a_line_that_does_not_come_is_not_waited_for_longer_than_asked,
          one_that_will_not_end_is_made_to, it_is_out_of_reach_of_the_terminals_signals,
          it_does_not_outlive_a_parent_that_is_killed, what_it_goes_on_printing_does_not_stop_it)
