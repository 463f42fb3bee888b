// CoDel and drop head: by hand, and against the dequeue loop of RFC 8289 written down once more as a queue with a
// line, which decides when it serves and not packet by packet.
#include "core/net/codel.hpp"

#include <deque>

#include "core/net/capacity_queue.hpp"
#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using net::CapacityQueue, net::CoDel, net::Impairment, net::LineSettings, net::QueueDiscipline;

namespace {

LineSettings settings(QueueDiscipline discipline, double kbps = 8000) {
  return net::line_settings(
      {.bandwidth_kbps = kbps, .packet_overhead = 0, .queue_discipline = discipline, .queue_ms = 10'000}, Rng());
}

struct Arrival {
  Instant at;
  std::size_t bytes;
};

// Empty: dropped. Otherwise the end of its passage.
using Ends = std::vector<std::optional<Instant>>;

Ends through_queue(const std::vector<Arrival> &arrivals, const LineSettings &line) {
  CapacityQueue queue;
  Ends ends(arrivals.size());
  std::deque<std::size_t> waiting;
  const auto told = [&](const std::optional<CapacityQueue::Fate> &fate) {
    if (!fate) return false;
    if (!fate->dropped) ends[waiting.front()] = fate->passage.end;
    waiting.pop_front();
    return true;
  };
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    while (told(queue.until_arrival(arrivals[i].at))) {
    }
    const auto admission = queue.admit(line, nullptr, arrivals[i].bytes, arrivals[i].at);
    if (admission.answer == CapacityQueue::Answer::passes) ends[i] = admission.passage.end;
    if (admission.answer == CapacityQueue::Answer::waits) waiting.push_back(i);
  }
  while (told(queue.rest())) {
  }
  return ends;
}

// RFC 8289, appendix A, for a line of so many nanoseconds a byte.
class Reference {
 public:
  Reference(const std::vector<Arrival> &arrivals, std::int64_t ns_per_byte)
      : arrivals_(arrivals), ns_per_byte_(ns_per_byte), ends_(arrivals.size()) {}

  Ends run() {
    Instant free_at{};
    while (next_ < arrivals_.size() || !queue_.empty()) {
      if (queue_.empty()) {
        const Instant at = arrivals_[next_].at;
        if (at > free_at) {
          dequeue(free_at);  // the line asks and finds nothing
          free_at = at;
        }
      }
      while (next_ < arrivals_.size() && arrivals_[next_].at <= free_at) {
        bytes_ += arrivals_[next_].bytes;
        queue_.push_back(next_++);
      }
      if (const auto sent = dequeue(free_at)) {
        free_at = free_at + Nanos(static_cast<std::int64_t>(arrivals_[*sent].bytes) * ns_per_byte_);
        ends_[*sent] = free_at;
      }
    }
    return ends_;
  }

 private:
  struct Taken {
    std::optional<std::size_t> packet;
    bool ok_to_drop = false;
  };
  Taken dodequeue(Instant now) {
    if (queue_.empty()) {
      first_above_.reset();
      return {};
    }
    Taken taken{queue_.front()};
    queue_.pop_front();
    bytes_ -= arrivals_[*taken.packet].bytes;
    if (now - arrivals_[*taken.packet].at < 5ms || bytes_ <= 1500)
      first_above_.reset();
    else if (!first_above_)
      first_above_ = now + 100ms;
    else
      taken.ok_to_drop = now >= *first_above_;
    return taken;
  }
  static Instant control_law(Instant t, std::uint32_t count) {
    return t + Nanos(static_cast<std::int64_t>(1e8 / std::sqrt(count)));
  }
  std::optional<std::size_t> dequeue(Instant now) {
    Taken taken = dodequeue(now);
    if (dropping_) {
      if (!taken.ok_to_drop) dropping_ = false;
      while (dropping_ && now >= drop_next_) {
        ++count_;
        taken = dodequeue(now);
        if (!taken.ok_to_drop)
          dropping_ = false;
        else
          drop_next_ = control_law(drop_next_, count_);
      }
    } else if (taken.ok_to_drop) {
      taken = dodequeue(now);
      dropping_ = true;
      const std::uint32_t delta = count_ - last_count_;
      count_ = delta > 1 && now - drop_next_ < 1600ms ? delta : 1;
      drop_next_ = control_law(now, count_);
      last_count_ = count_;
    }
    return taken.packet;
  }

  const std::vector<Arrival> &arrivals_;
  std::int64_t ns_per_byte_;
  Ends ends_;
  std::size_t next_ = 0;
  std::deque<std::size_t> queue_;
  std::uint64_t bytes_ = 0;
  std::optional<Instant> first_above_;
  Instant drop_next_;
  std::uint32_t count_ = 0, last_count_ = 0;
  bool dropping_ = false;
};

// Poisson arrivals of 200 to 1400 bytes at a load that changes every 3000 packets between 0.5 and 1.5.
std::vector<Arrival> traffic(std::uint64_t seed, std::size_t count) {
  std::vector<Arrival> arrivals;
  double ms = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Draws draws = Rng(seed).at(i);
    const double load = Rng(seed).split("load").at(i / 3000).uniform(0.5, 1.5);
    ms += -std::log(1 - draws.uniform()) * 0.8 / load;
    arrivals.push_back({{from_ms(ms)}, 200 + draws.below(1201)});
  }
  return arrivals;
}

}  // namespace

// Waits above 5 ms from 0 on, asked every 10 ms: armed at 0, first drop at 100 (then the next one passes), the
// second 100 ms later, then 100/sqrt(2) = 70.7 and 100/sqrt(3) = 57.7 ms after the times planned.
START_TEST(codel_drops_ever_faster_while_packets_wait_too_long) {
  CoDel codel;
  std::vector<int> drops;
  for (int ms = 0; ms <= 400; ms += 10) {
    while (codel.drop(5ms, 100ms, {ms * 1ms}, 20ms, 10'000)) drops.push_back(ms);
  }
  ck_assert(drops == (std::vector<int>{100, 200, 280, 330, 380}));
}
END_TEST

START_TEST(codel_leaves_short_waits_and_short_queues_alone) {
  CoDel short_waits, short_queue;
  for (int ms = 0; ms <= 1000; ms += 10) {
    ck_assert(!short_waits.drop(5ms, 100ms, {ms * 1ms}, 5ms - 1ns, 10'000));
    ck_assert(!short_queue.drop(5ms, 100ms, {ms * 1ms}, 500ms, 1500));
  }
  // A nanosecond or a byte more is too much.
  ck_assert(!short_waits.drop(5ms, 100ms, {2000ms}, 5ms, 1501) && short_waits.drop(5ms, 100ms, {2100ms}, 5ms, 1501));
}
END_TEST

START_TEST(codel_decides_as_the_dequeue_loop_of_the_rfc) {
  std::size_t dropped = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto arrivals = traffic(seed, 250'000);
    const Ends ours = through_queue(arrivals, settings(QueueDiscipline::codel)),
               wanted = Reference(arrivals, 1000).run();
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      ck_assert_msg(ours[i] == wanted[i], "seed %d packet %zu", static_cast<int>(seed), i);
      dropped += !ours[i];
    }
  }
  ck_assert_uint_gt(dropped, 10'000);
}
END_TEST

// Three wait, the limit: the fourth pushes out the one that came first, which is told before all others.
START_TEST(drop_head_makes_room_by_dropping_the_oldest) {
  auto line = settings(QueueDiscipline::drophead);
  line.queue_packets = 3;
  std::vector<Arrival> burst(6, Arrival{{0ms}, 1000});
  const Ends ends = through_queue(burst, line);
  ck_assert(ends[0] == Instant{1ms} && !ends[1] && !ends[2]);
  ck_assert(ends[3] == Instant{2ms} && ends[4] == Instant{3ms} && ends[5] == Instant{4ms});
}
END_TEST

START_TEST(drop_head_by_bytes_refuses_only_what_never_fits) {
  auto line = settings(QueueDiscipline::drophead);
  line.queue_bytes = 1500;
  const Ends ends = through_queue({{{0ms}, 1000}, {{0ms}, 800}, {{0ms}, 600}, {{0ms}, 1600}, {{0ms}, 700}}, line);
  ck_assert(ends[0] && !ends[1] && ends[2] == Instant{1600us} && !ends[3] && ends[4] == Instant{2300us});
}
END_TEST

// Ten packets of 1 ms at once, none may wait more than 3 ms: the first goes at once, three more wait 1, 2 and 3 ms.
START_TEST(what_waits_too_long_is_dropped_from_the_head) {
  auto line = settings(QueueDiscipline::drophead);
  line.longest_wait = 3ms;
  const Ends ends = through_queue(std::vector<Arrival>(10, Arrival{{0ms}, 1000}), line);
  ck_assert_int_eq(static_cast<int>(std::count_if(ends.begin(), ends.end(), [](auto &e) { return e.has_value(); })), 4);
  ck_assert(ends[3] == Instant{4ms});
}
END_TEST

// Asked by the clock, a packet's fate is told when it has left the line, not before.
START_TEST(the_clock_tells_fates_as_late_as_it_can) {
  CapacityQueue queue;
  const auto line = settings(QueueDiscipline::codel);
  for (int i = 0; i < 3; ++i) queue.admit(line, nullptr, 1000, {0ms});
  ck_assert(queue.next() == Instant{2ms});
  ck_assert(!queue.until_clock({2ms - 1ns}));
  ck_assert(queue.until_clock({2ms})->passage.end == Instant{2ms});
  ck_assert(!queue.until_clock({2ms}));
  ck_assert(queue.next() == Instant{3ms});
  ck_assert_uint_eq(queue.depth({2ms}).packets, 1);
  ck_assert(queue.until_arrival({2ms + 1ns})->passage.end == Instant{3ms});
  ck_assert(!queue.next() && !queue.fates_open());
}
END_TEST

START_TEST(a_new_discipline_decides_all_that_wait) {
  CapacityQueue queue;
  const auto codel = settings(QueueDiscipline::codel), tail = settings(QueueDiscipline::droptail);
  for (int i = 0; i < 3; ++i) queue.admit(codel, nullptr, 1000, {0ms});
  ck_assert(queue.admit(tail, nullptr, 1000, {0ms}).passage.start == Instant{3ms});
  ck_assert(queue.rest()->passage.end == Instant{2ms} && queue.rest()->passage.end == Instant{3ms} && !queue.rest());
}
END_TEST

AVC_TESTS("codel", codel_drops_ever_faster_while_packets_wait_too_long, codel_leaves_short_waits_and_short_queues_alone,
          codel_decides_as_the_dequeue_loop_of_the_rfc, drop_head_makes_room_by_dropping_the_oldest,
          drop_head_by_bytes_refuses_only_what_never_fits, what_waits_too_long_is_dropped_from_the_head,
          the_clock_tells_fates_as_late_as_it_can, a_new_discipline_decides_all_that_wait)
