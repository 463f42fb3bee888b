// What has gone on, by stream.
#pragma once

#include <gst/gst.h>

#include <array>

#include "core/net/packet.hpp"

namespace avc::degrader {

struct Sent {
  guint64 packets = 0, bytes = 0;
};
using SentOfEach = std::array<Sent, net::kStreamCount>;

}  // namespace avc::degrader
