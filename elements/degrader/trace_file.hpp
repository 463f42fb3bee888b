// Link traces by name or from a file in Mahimahi's format, delay tables from a file of netem's. A trace is read once
// for all who use it at the same time: a thousand participants that one spike puts on the same trace share one copy, as
// long as the file is unchanged.
#pragma once

#include <memory>
#include <string>

#include "core/net/delay_table.hpp"
#include "core/net/link_trace.hpp"
#include "core/result.hpp"

namespace avc::degrader {

// A built-in trace's name comes before a file of that name. The error has no field; its text names file and line.
Result<std::shared_ptr<const net::LinkTrace>> find_trace(const std::string &name_or_path);

// From a file's path, or from the numbers themselves. The error is as above.
Result<std::shared_ptr<const net::DelayTable>> find_table(const std::string &path_or_numbers);

}  // namespace avc::degrader
