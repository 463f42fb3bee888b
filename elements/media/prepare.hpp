// From a request to a packed clip, by way of the cache on disk. Everything here takes its time and runs on a thread
// of its own.
#pragma once

#include <memory>

#include "elements/media/clip.hpp"
#include "elements/media/pass.hpp"
#include "elements/media/request.hpp"

namespace avc::media {

// Errors have the property that names the file as their field, and the file in their text.
Result<std::shared_ptr<const Clip>> prepare(const Request &request, Stop &stop, const Pass::Progress &progress);

}  // namespace avc::media
