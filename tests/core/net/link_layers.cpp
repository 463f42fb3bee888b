// How a link puts the models together: order, composition of layers, selection of packets, fates told later.
#include <map>

#include "core/net/link.hpp"
#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"
#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::ApplyTo, net::Drop, net::Fate, net::Impairment, net::Link, net::LossModel, net::Packet, net::QueueDiscipline,
    net::Send, net::Stream, net::Verdict, net::Wait;

namespace {

Instant arrival_of(std::uint64_t n) { return {static_cast<std::int64_t>(n) * 1ms}; }
Packet video(std::uint64_t n) {
  return {.stream = Stream::video, .n = n, .bytes = 1000, .header_bytes = 12, .rtp_timestamp = std::uint32_t(n / 4)};
}
Packet audio(std::uint64_t n) { return {.stream = Stream::audio, .n = n, .bytes = 100, .header_bytes = 12}; }
Impairment all_lost(ApplyTo what) { return {.apply_to = what, .loss_percent = 100}; }
bool dropped(const Verdict &verdict, Drop::Why why) {
  const auto *drop = std::get_if<Drop>(&verdict);
  return drop && drop->why == why;
}
bool sent(const Verdict &verdict) { return std::holds_alternative<Send>(verdict); }

std::string text(const std::variant<Drop, Send> &verdict) {
  if (const auto *drop = std::get_if<Drop>(&verdict)) return "drop" + std::to_string(static_cast<int>(drop->why));
  const auto &send = std::get<Send>(verdict);
  std::string text = std::to_string(send.at.since_origin.count()) + "+" + std::to_string(send.queued.count());
  if (send.corrupt_bit) text += " bit " + std::to_string(*send.corrupt_bit);
  if (send.duplicate) text += " twice " + std::to_string(send.duplicate->at.since_origin.count());
  return text;
}

// All verdicts of a run, in the order of the packets: n-th packet, then its duplicate if it waited.
std::map<std::pair<std::uint64_t, bool>, std::string> run(Link &link, std::uint64_t from, std::uint64_t to,
                                                          bool with_audio = true) {
  std::map<std::pair<std::uint64_t, bool>, std::string> log;
  std::map<std::uint64_t, std::uint64_t> number;  // by ticket
  const auto told = [&](const std::optional<Fate> &fate) {
    if (fate) log[{number[fate->ticket], fate->duplicate}] = text(fate->verdict);
    return fate.has_value();
  };
  for (std::uint64_t n = from; n < to; ++n) {
    for (const Packet &packet : {video(n), audio(n)}) {
      if (packet.stream == Stream::audio && !with_audio) continue;
      const std::uint64_t name = n * 2 + (packet.stream == Stream::audio);
      const auto verdict = link.admit(packet, arrival_of(n));
      if (const auto *wait = std::get_if<Wait>(&verdict))
        number[wait->ticket] = name;
      else if (const auto *drop = std::get_if<Drop>(&verdict))
        log[{name, false}] = text(*drop);
      else
        log[{name, false}] = text(std::get<Send>(verdict));
      while (told(link.fate())) {
      }
    }
  }
  while (told(link.last_fate())) {
  }
  return log;
}

}  // namespace

START_TEST(only_packets_meant_are_touched) {
  struct {
    ApplyTo what;
    Packet packet;
    bool meant;
  } rows[] = {{ApplyTo::video, video(0), true},
              {ApplyTo::video, audio(0), false},
              {ApplyTo::audio, audio(0), true},
              {ApplyTo::rtcp, {.stream = Stream::rtcp}, true},
              {ApplyTo::rtcp, video(0), false},
              {ApplyTo::keyframes, {.stream = Stream::video, .keyframe = true}, true},
              {ApplyTo::keyframes, video(0), false},
              {ApplyTo::headers, {.stream = Stream::video, .headers = true}, true},
              {ApplyTo::headers, {.stream = Stream::video, .keyframe = true}, false},
              {ApplyTo::all, {.stream = Stream::other}, true}};
  for (const auto &row : rows) {
    Link link{Rng(1)};
    link.put_layer("x", all_lost(row.what), {});
    ck_assert(sent(link.admit(row.packet, {})) != row.meant);
  }
}
END_TEST

START_TEST(others_are_not_held_back_by_a_delay_that_is_not_theirs) {
  Link link{Rng(1)};
  link.set_base({.apply_to = ApplyTo::video, .delay_ms = 500}, {});
  ck_assert(std::get<Send>(link.admit(video(0), {})).at == Instant{500ms});
  ck_assert(std::get<Send>(link.admit(audio(0), {1ms})).at == Instant{1ms});
  link.set_base({.delay_ms = 500}, {});
  link.set_base({}, {});
  ck_assert(std::get<Send>(link.admit(audio(1), {2ms})).at == Instant{500ms});  // one path again: order over all
}
END_TEST

START_TEST(others_go_past_a_line_that_is_not_theirs) {
  Link link{Rng(1)};
  link.set_base({.apply_to = ApplyTo::video, .bandwidth_kbps = 80, .packet_overhead = 0}, {});
  ck_assert(std::get<Send>(link.admit(video(0), {})).at == Instant{100ms});
  ck_assert(std::get<Send>(link.admit(audio(0), {1ms})).at == Instant{1ms});
}
END_TEST

// A link that has nothing but loss and delay takes a shorter way; a layer that is for none of these packets takes it
// off.
START_TEST(the_short_way_of_loss_and_delay_decides_what_the_long_one_does) {
  const Impairment settings[] = {
      {.loss_percent = 20},
      {.drop_packets = 7, .delay_ms = 3},
      {.on_ms = 40, .off_ms = 10, .delay_ms = 5, .jitter_ms = 5},
      {.loss_model = LossModel::burst, .loss_percent = 5, .delay_ms = 20, .jitter_ms = 15, .allow_reordering = true},
      {.loss_percent = 5, .delay_ms = 20, .jitter_ms = 15, .delay_correlation = 30, .ecn = net::EcnMode::ect0},
  };
  for (const Impairment &base : settings) {
    Link shorter{Rng(5)}, longer{Rng(5)};
    for (Link *link : {&shorter, &longer}) link->set_base(base, {});
    longer.put_layer("others", all_lost(ApplyTo::rtcp), {});
    for (std::uint64_t n = 0; n < 2000; ++n) {
      const auto a = shorter.admit(video(n), arrival_of(n)), b = longer.admit(video(n), arrival_of(n));
      ck_assert(a.index() == b.index());
      if (!sent(a)) continue;
      const auto &one = std::get<Send>(a), &other = std::get<Send>(b);
      ck_assert(one.at == other.at && one.queued == other.queued && one.ce == other.ce);
    }
  }
}
END_TEST

START_TEST(frames_go_before_losses) {
  Link link{Rng(1)};
  link.set_base({.frame_drop_percent = 100, .loss_percent = 100}, {});
  ck_assert(dropped(link.admit(video(0), {}), Drop::Why::frame));
  ck_assert(dropped(link.admit(audio(0), {}), Drop::Why::loss));
}
END_TEST

START_TEST(a_duplicate_follows_through_the_queue_and_travels_alone) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 10, .duplicate_percent = 100, .bandwidth_kbps = 8000, .packet_overhead = 0}, {});
  const auto verdict = link.admit(video(0), {});
  const auto &send = std::get<Send>(verdict);
  ck_assert(send.at == Instant{11ms} && send.duplicate->at == Instant{12ms});
  // No room for the copy: the packet alone.
  link.flush();
  link.set_base({.duplicate_percent = 100, .bandwidth_kbps = 8000, .packet_overhead = 0, .queue_bytes = 1}, {});
  ck_assert(!std::get<Send>(link.admit(video(1), {})).duplicate);
  link.set_base({.loss_percent = 100, .duplicate_percent = 100}, {});
  ck_assert(dropped(link.admit(video(2), {5ms}), Drop::Why::loss));
}
END_TEST

START_TEST(the_copy_gets_every_layers_delay) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 10}, {});
  link.put_layer("d", {.duplicate_percent = 100}, {});
  link.put_layer("e", {.delay_ms = 5}, {});
  const auto verdict = link.admit(video(0), {});
  ck_assert(std::get<Send>(verdict).at == Instant{15ms} && std::get<Send>(verdict).duplicate->at == Instant{15ms});
}
END_TEST

// 10 % and 20 % independently: 28 %. n = 1e6, four sigma 0.0018.
START_TEST(duplicates_and_corruption_of_layers_are_independent) {
  Link link{Rng(3)};
  link.set_base({.duplicate_percent = 10, .corrupt_percent = 20}, {});
  link.put_layer("s", {.duplicate_percent = 20, .corrupt_percent = 10}, {});
  int twice = 0, corrupt = 0, copies_corrupt = 0;
  for (std::uint64_t n = 0; n < 1'000'000; ++n) {
    const auto verdict = link.admit(video(n), arrival_of(n));
    const auto &send = std::get<Send>(verdict);
    twice += send.duplicate.has_value();
    corrupt += send.corrupt_bit.has_value();
    copies_corrupt += send.duplicate && send.duplicate->corrupt_bit;
    if (send.corrupt_bit) ck_assert(*send.corrupt_bit >= 96 && *send.corrupt_bit < 8000);
  }
  ck_assert_double_eq_tol(twice / 1e6, 0.28, 0.0018);
  ck_assert_double_eq_tol(corrupt / 1e6, 0.28, 0.0018);
  ck_assert_double_eq_tol(copies_corrupt / static_cast<double>(twice), 0.28, 0.0034);
}
END_TEST

// Every third packet is spared its layer's 20 ms but not the base's 100.
START_TEST(reordered_packets_are_spared_their_layers_delay) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 100}, {});
  link.put_layer("r", {.delay_ms = 20, .reorder_percent = 100, .reorder_gap = 3}, {});
  for (std::uint64_t n = 0; n < 9; ++n) {
    const auto verdict = link.admit(video(n), arrival_of(n));
    const auto &send = std::get<Send>(verdict);
    ck_assert(send.sent_ahead == (n % 3 == 2));
    ck_assert(send.at - arrival_of(n) == (n % 3 == 2 ? 100ms : 120ms));
  }
}
END_TEST

START_TEST(a_trace_in_place_of_a_speed) {
  Link link{Rng(1)};
  link.set_base({.link_trace = net::LinkTrace::of({10, 20, 40}), .trace_offset_ms = 0, .packet_overhead = 0}, {});
  ck_assert(std::get<Send>(link.admit(video(0), {})).at == Instant{10ms});
  const auto second = link.admit(video(1), {1ms});
  ck_assert(std::get<Send>(second).at == Instant{20ms} && std::get<Send>(second).queued == 9ms);
  link.put_layer("slower", {.bandwidth_kbps = 80, .packet_overhead = 0}, {});
  ck_assert(std::get<Send>(link.admit(video(30), {30ms})).at == Instant{130ms});
}
END_TEST

START_TEST(slots_of_one_layer_gate_the_line_of_another) {
  Link link{Rng(1)};
  link.set_base({.bandwidth_kbps = 8000, .packet_overhead = 0}, {});
  link.put_layer("w", {.slot_min_ms = 10, .slot_max_ms = 10}, {});
  ck_assert(std::get<Send>(link.admit(video(1), {1ms})).at == Instant{11ms});
  ck_assert(std::get<Send>(link.admit(video(2), {2ms})).at == Instant{12ms});
}
END_TEST

START_TEST(codel_tells_fates_in_order_with_their_delay) {
  Link link{Rng(1)};
  link.set_base(
      {.delay_ms = 50, .bandwidth_kbps = 8000, .packet_overhead = 0, .queue_discipline = QueueDiscipline::codel}, {});
  ck_assert(std::get<Send>(link.admit(video(0), {})).at == Instant{51ms});
  const auto first = std::get<Wait>(link.admit(video(1), {})), second = std::get<Wait>(link.admit(video(2), {}));
  ck_assert(!link.fate() && link.next_fate() == Instant{2ms});
  link.admit(video(3), {2ms});
  const auto one = link.fate();
  ck_assert(one->ticket == first.ticket && std::get<Send>(one->verdict).at == Instant{52ms});
  ck_assert(std::get<Send>(one->verdict).queued == 1ms && !link.fate());
  const auto two = link.fate({3ms});
  ck_assert(two->ticket == second.ticket && std::get<Send>(two->verdict).at == Instant{53ms});
}
END_TEST

START_TEST(a_duplicate_that_waits_has_a_fate_of_its_own) {
  Link link{Rng(1)};
  link.set_base({.duplicate_percent = 100,
                 .bandwidth_kbps = 8000,
                 .packet_overhead = 0,
                 .queue_discipline = QueueDiscipline::drophead},
                {});
  const auto wait = std::get<Wait>(link.admit(video(0), {}));
  ck_assert(wait.duplicated);
  const auto one = link.last_fate(), two = link.last_fate();
  ck_assert(!one->duplicate && std::get<Send>(one->verdict).at == Instant{1ms});
  ck_assert(two->duplicate && two->ticket == wait.ticket && std::get<Send>(two->verdict).at == Instant{2ms});
  ck_assert(!link.last_fate());
}
END_TEST

START_TEST(the_end_of_a_managed_queue_keeps_order) {
  Link link{Rng(1)};
  link.put_layer(
      "q", {.delay_ms = 30, .bandwidth_kbps = 800, .packet_overhead = 0, .queue_discipline = QueueDiscipline::codel},
      {});
  link.admit(video(0), {});
  ck_assert(std::holds_alternative<Wait>(link.admit(video(1), {})));
  link.remove_layer("q", {});
  ck_assert(std::get<Send>(link.admit(video(2), {1ms})).at == Instant{50ms});  // behind the one that waited
  ck_assert(std::get<Send>(link.fate()->verdict).at == Instant{50ms});
}
END_TEST

// Every packet of a run gets the same verdict from a second link, from one that begins in the middle where the
// models have no memory beyond the queue, and after other layers have come and gone.
START_TEST(runs_repeat_with_every_model) {
  for (const auto &profile : net::profiles()) {
    for (const auto discipline : {QueueDiscipline::droptail, QueueDiscipline::drophead, QueueDiscipline::codel}) {
      Impairment settings = *net::profile(profile.name);
      settings.queue_discipline = discipline;
      settings.duplicate_percent = 3;
      settings.corrupt_percent = 2;
      settings.delay_correlation = 50;
      settings.slot_max_ms = 6;
      Link one{Rng(7)}, two{Rng(7)}, other{Rng(8)};
      for (Link *link : {&one, &two, &other}) link->set_base(settings, {});
      two.put_layer("gone", {.delay_ms = 5}, {});
      two.remove_layer("gone", {});
      const auto log = run(one, 0, 3000);
      ck_assert(log == run(two, 0, 3000));
      ck_assert(log != run(other, 0, 3000));
      ck_assert_uint_ge(log.size(), 6000);  // no packet without a fate
    }
  }
}
END_TEST

START_TEST(every_packet_that_waits_has_one_fate) {
  Link link{Rng(5)};
  std::map<std::uint64_t, int> open;
  const auto told = [&](const std::optional<Fate> &fate) {
    if (fate) --open[fate->ticket];
    return fate.has_value();
  };
  for (std::uint64_t n = 0; n < 200'000; ++n) {
    Draws draws = Rng(6).at(n);
    if (n % 97 == 0) {
      Impairment settings{.duplicate_percent = 10, .bandwidth_kbps = draws.uniform(2000, 12'000), .queue_ms = 50};
      settings.queue_discipline = static_cast<QueueDiscipline>(draws.below(3));
      settings.queue_packets = static_cast<std::uint32_t>(draws.below(2) * 20);
      if (draws.uniform() < 0.2) settings = {};
      link.put_layer("q", settings, arrival_of(n));
    }
    const auto verdict = link.admit(video(n), arrival_of(n));
    if (const auto *wait = std::get_if<Wait>(&verdict)) open[wait->ticket] += wait->duplicated ? 2 : 1;
    while (draws.uniform() < 0.5 ? told(link.fate()) : told(link.fate(arrival_of(n)))) {
    }
  }
  while (told(link.last_fate())) {
  }
  ck_assert_uint_gt(open.size(), 10'000);
  for (const auto &[ticket, left] : open) ck_assert_int_eq(left, 0);
}
END_TEST

AVC_TESTS("link_layers", only_packets_meant_are_touched, others_are_not_held_back_by_a_delay_that_is_not_theirs,
          others_go_past_a_line_that_is_not_theirs, the_short_way_of_loss_and_delay_decides_what_the_long_one_does,
          frames_go_before_losses, a_duplicate_follows_through_the_queue_and_travels_alone,
          the_copy_gets_every_layers_delay, duplicates_and_corruption_of_layers_are_independent,
          reordered_packets_are_spared_their_layers_delay, a_trace_in_place_of_a_speed,
          slots_of_one_layer_gate_the_line_of_another, codel_tells_fates_in_order_with_their_delay,
          a_duplicate_that_waits_has_a_fate_of_its_own, the_end_of_a_managed_queue_keeps_order,
          runs_repeat_with_every_model, every_packet_that_waits_has_one_fate)
