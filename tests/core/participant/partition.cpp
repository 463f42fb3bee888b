#include "core/participant/partition.hpp"

#include <set>

#include "tests/check.hpp"

using namespace avc::participant;

START_TEST(a_worker_on_its_own_owns_everybody) {
  ck_assert(owned_ids({0, 1}, 1001, 3) == (std::vector<std::uint32_t>{1001, 1002, 1003}));
  ck_assert(owned_ids({0, 0}, 1001, 1).size() == 1);
  ck_assert(owned_ids({0, 1}, 1001, 0).empty());
}
END_TEST

START_TEST(every_participant_has_exactly_one_owner) {
  ck_assert(owned_ids({1, 3}, 1001, 7) == (std::vector<std::uint32_t>{1003, 1006}));
  for (std::uint32_t total = 1; total < 12; ++total) {
    std::multiset<std::uint32_t> all;
    for (std::uint32_t id = 0; id < total; ++id) {
      for (const auto owned : owned_ids({id, total}, 1001, 100)) all.insert(owned);
    }
    ck_assert_int_eq(static_cast<int>(all.size()), 100);
    ck_assert(std::set<std::uint32_t>(all.begin(), all.end()).size() == 100);
  }
}
END_TEST

START_TEST(partitions_are_checked) {
  ck_assert(make_partition(9, 10)->id == 9 && make_partition(0, 0)->total == 1);
  ck_assert(make_partition(10, 10).error().text() ==
            "PARTITION_ID: 10 is not accepted; with 10 partitions it must be 0 to 9");
  ck_assert(make_partition(-1, 10).error().field == "PARTITION_ID");
  ck_assert(make_partition(1, 1).error().text() == "PARTITION_ID: 1 is not accepted; with 1 partition it must be 0");
  ck_assert(make_partition(0, -1).error().field == "TOTAL_PARTITIONS");
  ck_assert(make_partition(0, 1 << 30).error().field == "TOTAL_PARTITIONS");
}
END_TEST

START_TEST(ports_are_the_old_tools_where_they_exist) {
  const Ports first({0, 4}, 5000), third({2, 4}, 5000);
  ck_assert_int_eq(first.of(0), 5000);
  ck_assert_int_eq(first.last(150), 5149);
  ck_assert_int_eq(third.of(7), 25007);
  ck_assert_int_eq(third.last(0), 24999);
}
END_TEST

START_TEST(no_port_passes_the_highest) {
  for (const std::uint32_t total : {1u, 7u, 10u, 1000u}) {
    std::set<int> seen;
    for (std::uint32_t id = 0; id < total; ++id) {
      const Ports ports({id, total}, 5000);
      ck_assert(ports.first() >= 5000 && ports.last(100000) >= ports.first());
      for (const std::uint32_t index : {0u, 1u, 60000u, 100000u}) ck_assert(ports.of(index) >= ports.first());
      ck_assert(seen.insert(ports.first()).second);
    }
  }
  const Ports top({0, 1}, 65535);
  ck_assert_int_eq(top.of(3), 65535);
  ck_assert_int_eq(Ports({9, 10}, 5000).of(0), 5000 + 9 * 6053);
}
END_TEST

AVC_TESTS("partition", a_worker_on_its_own_owns_everybody, every_participant_has_exactly_one_owner,
          partitions_are_checked, ports_are_the_old_tools_where_they_exist, no_port_passes_the_highest)
