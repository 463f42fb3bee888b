// A subscriber as JSON: its connection, and the counters of every stream it receives.
#pragma once

#include "launcher/http/json_writer.hpp"
#include "launcher/webrtc/subscriber.hpp"

namespace avc::api {

void write_subscriber(json::Writer &out, const webrtc::SubscriberSnapshot &subscriber);

}  // namespace avc::api
