// Whom the verdict blames when the generator was late or could not send.
#include "launcher/results/shortage.hpp"

#include <string_view>

#include "tests/check.hpp"

using namespace avc::results;

namespace {

// Ten seconds of two processors, half of them used by this program and no one waiting.
GeneratorHealth calm() {
  GeneratorHealth health;
  health.use = {.seconds = 10, .processors = 2, .own_cpu_seconds = 10, .machine_cpu_seconds = 11, .busiest = "avc:c0"};
  return health;
}

void blames(const GeneratorHealth &health, std::string_view words) {
  const std::string text = late_because(health);
  ck_assert_msg(text.find(words) != std::string::npos, "%s", text.c_str());
}

}  // namespace

START_TEST(what_was_short_is_named_the_machine_before_the_program) {
  auto health = calm();
  blames(health, "no resource stands out: processors 55 % of 2 processors in use");
  health.use.waited_seconds = 2;
  blames(health, "had to wait for a processor for 2 of 10 s");
  health.use.busiest_seconds = 9.5;
  blames(health, "one sending thread (avc:c0) had no time left");
  health.use.machine_cpu_seconds = 19;
  blames(health, "other programs used 45 % of 2 processors, this one 50 % of 2 processors");
  health.use.own_cpu_seconds = 18.6;
  blames(health, "this program itself used 93 % of 2 processors");
  health.use.throttled_seconds = 1;
  blames(health, "the container's CPU limit was used up for 1 of 10 s");
  health.use.steal_seconds = 2;
  blames(health, "the hypervisor gave 10 % of 2 processors to others (steal)");
}
END_TEST

START_TEST(the_late_seconds_count_and_not_those_around_them) {
  auto health = calm();
  health.late_use = {.seconds = 1, .processors = 1, .steal_seconds = 0.5};
  blames(health, "50 % of 1 processor to others (steal)");
}
END_TEST

START_TEST(a_run_too_short_to_tell_says_so) {
  GeneratorHealth health;
  blames(health, "not known");
}
END_TEST

START_TEST(refusals_go_by_the_most_frequent_error) {
  GeneratorHealth health;
  avc_assert_text(refused_because(health), "the kernel refused them");
  health.errors_by_name = {{"EPERM", 3}, {"ENOBUFS", 2}};
  avc_assert_text(refused_because(health), "the kernel refused them: EPERM");
  health.errors_by_name["ENOBUFS"] = 4;
  avc_assert_text(refused_because(health), "the socket's send buffer or the interface's queue was full: ENOBUFS");
}
END_TEST

START_TEST(stretches_add_up) {
  MachineUse use{.seconds = 1, .processors = 2, .own_cpu_seconds = 0.5, .steal_seconds = 0.1, .involuntary_switches = 3};
  use += use;
  ck_assert_double_eq(use.seconds, 2);
  ck_assert_double_eq(use.own_cpu_seconds, 1);
  ck_assert_double_eq(use.steal_seconds, 0.2);
  ck_assert_uint_eq(use.involuntary_switches, 6);
  ck_assert_uint_eq(use.processors, 2);
}
END_TEST

AVC_TESTS("shortage", what_was_short_is_named_the_machine_before_the_program,
          the_late_seconds_count_and_not_those_around_them, a_run_too_short_to_tell_says_so,
          refusals_go_by_the_most_frequent_error, stretches_add_up)
