// Link traces that a test names: files in the media directories, read and checked before the test is made.
#pragma once

#include <string>

#include "core/json/conditions.hpp"
#include "core/result.hpp"
#include "launcher/session/media_path.hpp"

namespace avc::session {

inline constexpr std::uintmax_t kLargestTrace = 16 << 20;  // bytes

// The real path of a sound trace. The error has no field; it does not tell an outsider what exists elsewhere.
Result<std::string> find_trace(const MediaDirectories &directories, const std::string &path);

// The same for one request: a file that is named many times is read once.
json::FindTrace remembering(const MediaDirectories &directories);

}  // namespace avc::session
