// Decision logs to be repeated, from their files. A log is read once for all who use it at the same time: a test has
// one for all its participants.
#pragma once

#include <memory>
#include <string>

#include "core/net/replay.hpp"
#include "core/result.hpp"

namespace avc::degrader {

// The error's field is the property; its text names file and line.
Result<std::shared_ptr<const net::Recording>> open_recording(const std::string &path);

// Would writing to one destroy the other?
bool is_same_file(const std::string &path, const std::string &other);

}  // namespace avc::degrader
