// What became of each spike, and what participants did in a second: no GStreamer.
#include "launcher/session/spike_book.hpp"

#include "launcher/session/rates.hpp"
#include "launcher/session/rendition.hpp"
#include "tests/check.hpp"

using namespace avc::session;
using avc::results::Media;
using avc::results::ParticipantSnapshot;
using avc::results::SpikeState;
using Report = SpikeBook::Report;

namespace {

avc::spike::Planned planned(std::string id) {
  avc::spike::Planned made;
  made.spike.id = std::move(id);
  made.spike.type = "rtp_packet_loss";
  return made;
}

}  // namespace

START_TEST(a_spike_is_active_with_its_first_participant_and_over_with_its_last) {
  SpikeBook book({planned("a")});
  ck_assert(book.take("a", 1, Report::started, "")->state == SpikeState::active);
  ck_assert_ptr_null(book.take("a", 2, Report::started, ""));
  ck_assert_ptr_null(book.take("a", 1, Report::ended, ""));
  const SpikeEntry *over = book.take("a", 2, Report::ended, "");
  ck_assert(over != nullptr && over->state == SpikeState::ended);
  ck_assert_uint_eq(over->participants, 2);
}
END_TEST

START_TEST(a_participant_that_is_gone_holds_no_spike_up) {
  SpikeBook book({planned("a")});
  book.take("a", 1, Report::started, "");
  book.take("a", 2, Report::started, "");
  ck_assert(book.participant_gone(1).empty());
  const auto over = book.participant_gone(2);
  ck_assert_uint_eq(over.size(), 1);
  ck_assert(over.front()->state == SpikeState::ended);
}
END_TEST

START_TEST(what_is_said_of_a_spike_that_is_over_changes_nothing) {
  SpikeBook book({planned("a")});
  book.take("a", 1, Report::started, "");
  book.take("a", 1, Report::cancelled, "");
  ck_assert(book.find("a")->state == SpikeState::cancelled);
  ck_assert_ptr_null(book.take("a", 2, Report::started, ""));
  ck_assert_ptr_null(book.take("nobody", 1, Report::started, ""));
  ck_assert(book.active().empty());
}
END_TEST

START_TEST(a_refusal_is_kept_with_its_reason) {
  SpikeBook book({planned("a")});
  const SpikeEntry *refused = book.take("a", 1, Report::refused, "no such parameter");
  ck_assert(refused != nullptr && refused->state == SpikeState::refused);
  avc_assert_text(refused->reason, "no such parameter");
}
END_TEST

START_TEST(what_was_over_for_one_may_start_for_another) {
  SpikeBook book({planned("a")});
  book.take("a", 1, Report::refused, "was over before the first packet");
  const SpikeEntry *started = book.take("a", 2, Report::started, "");
  ck_assert(started != nullptr && started->state == SpikeState::active && started->reason.empty());
  ck_assert(book.take("a", 2, Report::ended, "")->state == SpikeState::ended);
}
END_TEST

START_TEST(an_id_used_again_gets_a_number) {
  SpikeBook book({planned("a")});
  avc_assert_text(book.free_id("b"), "b");
  avc_assert_text(book.free_id("a"), "a#2");
  book.add(planned("a#2"));
  avc_assert_text(book.free_id("a"), "a#3");
}
END_TEST

START_TEST(the_end_of_the_test_ends_what_is_active_and_cancels_what_is_planned) {
  SpikeBook book({planned("a"), planned("b"), planned("c")});
  book.take("a", 1, Report::started, "");
  book.take("c", 1, Report::started, "");
  book.take("c", 1, Report::ended, "");
  ck_assert_uint_eq(book.test_over("over").size(), 2);
  ck_assert(book.find("a")->state == SpikeState::ended && book.find("b")->state == SpikeState::cancelled);
  ck_assert(book.find("c")->state == SpikeState::ended && book.find("c")->reason.empty());
}
END_TEST

START_TEST(rates_describe_the_stretch_and_not_the_whole_test) {
  std::vector<ParticipantSnapshot> before(1), now(1);
  before[0].id = now[0].id = 1001;
  before[0].sent_of(Media::video) = {.packets = 1000, .bytes = 1'000'000, .lost = 500};
  now[0].sent_of(Media::video) = {.packets = 1100, .bytes = 1'125'000, .lost = 510};
  const auto rates = rates_between(before, now, 2.0, false);
  ck_assert_double_eq_tol(rates[0].loss_percent, 10, 1e-9);
  ck_assert_double_eq_tol(rates[0].kbps, 500, 1e-9);
  const auto from_the_start = rates_between({}, before, 1.0, false);
  ck_assert_double_eq_tol(from_the_start[0].loss_percent, 50, 1e-9);
}
END_TEST

START_TEST(the_receiver_decides_where_there_is_one) {
  std::vector<ParticipantSnapshot> now(1);
  now[0].sent_of(Media::video) = {.packets = 100, .bytes = 100'000, .lost = 50};
  auto &received = now[0].received_of(Media::video);
  received.packets_expected = 100;
  received.packets_received = 80;
  received.packets_lost = 20;
  ck_assert_double_eq_tol(rates_between({}, now, 1.0, true)[0].loss_percent, 20, 1e-9);
}
END_TEST

START_TEST(silent_participants_dilute_no_mean) {
  const std::vector<ParticipantRates> rates{{.id = 1, .loss_percent = 10, .jitter_ms = 4, .mos_score = 4, .kbps = 100},
                                            {.id = 2}};
  const auto mean = summary(rates);
  ck_assert_double_eq_tol(mean.loss_percent, 10, 1e-9);
  ck_assert_double_eq_tol(mean.mos_score, 4, 1e-9);
  ck_assert_double_eq_tol(mean.kbps, 100, 1e-9);
}
END_TEST

START_TEST(a_reduction_gets_the_highest_rendition_not_above_it) {
  ck_assert(default_ladder(2500) == (std::vector<std::uint32_t>{2500, 1200, 600, 300}));
  ck_assert(default_ladder(100) == (std::vector<std::uint32_t>{100}));
  ck_assert_double_eq(chosen_rendition({300, 2500, 600, 1200}, 1000), 600);
  ck_assert_double_eq(chosen_rendition({300, 2500, 600, 1200}, 600), 600);
  ck_assert_double_eq(chosen_rendition({300, 2500, 600, 1200}, 10), 300);
}
END_TEST

AVC_TESTS("spike_book", a_spike_is_active_with_its_first_participant_and_over_with_its_last,
          a_participant_that_is_gone_holds_no_spike_up, what_is_said_of_a_spike_that_is_over_changes_nothing,
          a_refusal_is_kept_with_its_reason, what_was_over_for_one_may_start_for_another,
          an_id_used_again_gets_a_number, the_end_of_the_test_ends_what_is_active_and_cancels_what_is_planned,
          rates_describe_the_stretch_and_not_the_whole_test, the_receiver_decides_where_there_is_one,
          silent_participants_dilute_no_mean, a_reduction_gets_the_highest_rendition_not_above_it)
