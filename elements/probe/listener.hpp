// rtpqualityprobe's own socket: the streams that arrive at a port, measured by a RtpReceiver on its thread. What the
// kernel had no room for is counted apart: it is no loss of the network's.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/runtime/rtp_receiver.hpp"
#include "elements/probe/streams.hpp"
#include "elements/support/ptr.hpp"

namespace avc::probe {

class Listener {
 public:
  static Result<std::shared_ptr<Listener>> start(const runtime::RtpReceiver::Options &options);

  std::vector<Row> rows() const;      // since the start; any thread
  std::vector<Row> rows_of_window();  // since the last such call; one thread
  Streams::Totals totals() const;
  [[nodiscard]] Ptr<GstStructure> socket() const;  // what the kernel says

 private:
  explicit Listener(std::unique_ptr<runtime::RtpReceiver> receiver) : receiver_(std::move(receiver)) {}

  std::unique_ptr<runtime::RtpReceiver> receiver_;
  std::unordered_map<std::uint32_t, stats::StreamStats> before_;  // at the last window
};

}  // namespace avc::probe
