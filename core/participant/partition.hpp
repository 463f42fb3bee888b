// Which participants and ports belong to worker N of M.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.hpp"

namespace avc::participant {

struct Partition {
  std::uint32_t id = 0, total = 1;
};

// The error's field is PARTITION_ID or TOTAL_PARTITIONS. A total of 0 counts as 1, as it did in the old tool.
Result<Partition> make_partition(std::int64_t id, std::int64_t total);

// id mod TOTAL == PARTITION_ID; a worker on its own owns everybody.
bool owns(const Partition &partition, std::uint32_t participant);

// Those of first, first + 1, ... first + count - 1 that the worker owns, in order.
std::vector<std::uint32_t> owned_ids(const Partition &partition, std::uint32_t first, std::uint32_t count);

// The RTP ports that a worker reports for its participants (nothing is bound to them). Workers are 10000 ports apart
// as in the old tool, or less where that would pass 65535.
class Ports {
 public:
  Ports(const Partition &partition, std::uint16_t base);

  std::uint16_t first() const { return first_; }
  std::uint16_t of(std::uint32_t index) const;    // the worker's participant number `index`, from 0; wraps
  std::uint16_t last(std::uint32_t owned) const;  // first() - 1 when it owns nobody

 private:
  std::uint16_t first_;
  std::uint32_t room_;
};

}  // namespace avc::participant
