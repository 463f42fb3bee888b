// Faults as GStreamer reports them: a text for the user and a detail for us on the bus, from values of core.
// Call without holding a lock: a bus handler may run at once and ask the element something.
#pragma once

#include <gst/gst.h>

#include <string>

#include "core/result.hpp"

namespace avc {

// Posts an ERROR with the domain and code that fit: a bad setting (LIBRARY SETTINGS), something that could not be
// opened, read or written (RESOURCE), or a stream that is not what it claims (STREAM FORMAT). Its details are a
// structure "avchaos-fault" with the error's `field` and `message`, where it has a field.
enum class Fault { settings, not_found, open_read, open_write, write, format, failed };

void post_error(GstElement *element, Fault fault, const Error &error, const std::string &detail = {});
void post_warning(GstElement *element, Fault fault, const Error &error, const std::string &detail = {});

}  // namespace avc
