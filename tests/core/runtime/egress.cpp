// Which devices keep the times of datagrams: by the names of their queueing disciplines, as the kernel lists them.
#include "core/runtime/egress.hpp"

#include "tests/check.hpp"

using namespace avc::runtime;

namespace {

constexpr std::uint32_t kRoot = 0xffffffff;

bool keep(std::vector<Discipline> all) { return keep_times(all); }

}  // namespace

START_TEST(fair_queueing_at_the_root_keeps_times) {
  ck_assert(keep({{0x80010000, kRoot, "fq"}}));
  ck_assert(!keep({{0x80010000, kRoot, "fq_codel"}}));
  ck_assert(!keep({{0, kRoot, "noqueue"}}));
  ck_assert(!keep({}));
}
END_TEST

START_TEST(a_multi_queue_device_keeps_times_if_all_its_queues_do) {
  ck_assert(keep({{0x10000, kRoot, "mq"}, {0x80010000, 0x10001, "fq"}, {0x80020000, 0x10002, "fq"}}));
  ck_assert(!keep({{0x10000, kRoot, "mq"}, {0x80010000, 0x10001, "fq"}, {0x80020000, 0x10002, "pfifo_fast"}}));
  ck_assert(!keep({{0x10000, kRoot, "mq"}, {0x80010000, 0x20001, "fq"}}));
}
END_TEST

// It has no queue at all.
START_TEST(the_loopback_device_keeps_none) {
  ck_assert(!times_are_kept_to(*Address::parse("127.0.0.1", 5002)));
  ck_assert(!times_are_kept_to(*Address::parse("::1", 5002)));
}
END_TEST

AVC_TESTS("egress", fair_queueing_at_the_root_keeps_times, a_multi_queue_device_keeps_times_if_all_its_queues_do,
          the_loopback_device_keeps_none)
