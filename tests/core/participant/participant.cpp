#include "core/participant/participant.hpp"

#include "tests/check.hpp"

using namespace avc::participant;

START_TEST(identities_follow_the_contract) {
  ck_assert(identity_of(1001) == (Identity{1001, 1001000, 1001001, 96, 111}));
  ck_assert(identity_of(4294968).video_ssrc == 704);  // 4294968000 - 2^32
}
END_TEST

START_TEST(a_test_goes_one_way) {
  constexpr TestState all[] = {TestState::created, TestState::running, TestState::stopping, TestState::stopped,
                               TestState::failed};
  const std::string allowed[] = {"created running", "created stopped",  "created failed", "running stopping",
                                 "running failed",  "stopping stopped", "stopping failed"};
  int found = 0;
  for (const auto from : all) {
    for (const auto to : all) {
      const std::string step = std::string(name(from)) + " " + std::string(name(to));
      const bool wanted = std::find(std::begin(allowed), std::end(allowed), step) != std::end(allowed);
      ck_assert_msg(may_follow(from, to) == wanted, "%s", step.c_str());
      found += wanted ? 1 : 0;
      if (is_over(from)) ck_assert(!may_follow(from, to));
    }
  }
  ck_assert_int_eq(found, 7);
}
END_TEST

START_TEST(a_participant_may_be_lost_and_come_back_but_not_from_the_dead) {
  ck_assert(may_follow(State::created, State::preparing) && may_follow(State::preparing, State::running));
  ck_assert(may_follow(State::running, State::lost) && may_follow(State::lost, State::running));
  ck_assert(!may_follow(State::running, State::created) && !may_follow(State::running, State::running));
  for (const auto over : {State::failed, State::stopped}) {
    ck_assert(is_over(over) && may_follow(State::created, over) && may_follow(State::running, over));
    for (int to = 0; to < 8; ++to) ck_assert(!may_follow(over, static_cast<State>(to)));
  }
}
END_TEST

AVC_TESTS("participant", identities_follow_the_contract, a_test_goes_one_way,
          a_participant_may_be_lost_and_come_back_but_not_from_the_dead)
