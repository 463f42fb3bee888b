#include "core/participant/partition.hpp"

#include <algorithm>
#include <string>

namespace avc::participant {
namespace {

constexpr std::uint32_t kStride = 10000, kHighestPort = 65535;
constexpr std::int64_t kMostPartitions = 10000;

}  // namespace

Result<Partition> make_partition(std::int64_t id, std::int64_t total) {
  if (total < 0 || total > kMostPartitions) {
    return Error{"TOTAL_PARTITIONS", std::to_string(total) + " is not accepted; it must be 1 to 10000"};
  }
  total = std::max<std::int64_t>(total, 1);
  if (id < 0 || id >= total) {
    return Error{"PARTITION_ID", std::to_string(id) + " is not accepted; with " + std::to_string(total) +
                                     (total == 1 ? " partition it must be 0" : " partitions it must be 0 to ") +
                                     (total == 1 ? "" : std::to_string(total - 1))};
  }
  return Partition{static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(total)};
}

bool owns(const Partition &partition, std::uint32_t participant) {
  return partition.total <= 1 || participant % partition.total == partition.id;
}

std::vector<std::uint32_t> owned_ids(const Partition &partition, std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (owns(partition, first + i)) ids.push_back(first + i);
  }
  return ids;
}

Ports::Ports(const Partition &partition, std::uint16_t base) {
  const std::uint32_t room = kHighestPort + 1 - base;
  const std::uint32_t stride = std::clamp<std::uint32_t>(room / std::max(partition.total, 1u), 1, kStride);
  first_ = static_cast<std::uint16_t>(std::min(base + partition.id * stride, kHighestPort));
  room_ = std::min(stride, kHighestPort + 1 - first_);
  // The last worker, and one on its own, may use all that is left.
  if (partition.id + 1 == partition.total) room_ = kHighestPort + 1 - first_;
}

std::uint16_t Ports::of(std::uint32_t index) const { return static_cast<std::uint16_t>(first_ + index % room_); }

std::uint16_t Ports::last(std::uint32_t owned) const {
  return static_cast<std::uint16_t>(first_ + std::min(owned, room_) - 1);
}

}  // namespace avc::participant
