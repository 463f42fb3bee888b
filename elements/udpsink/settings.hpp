// The plain properties of avchaosudpsink.
#pragma once

#include <string>

#include "elements/support/properties.hpp"

namespace avc::udpsink {

struct SinkSettings {
  std::string host = "127.0.0.1";
  gint port = 5002;
  gint rtcp_port = 0;
  std::string clients;
  std::string bind_address;
  gint bind_port = 0;
  bool own_source_port = false;
  gint qos_dscp = -1;
  gint ttl = 64;
  gint buffer_size = 4 << 20;
  bool segmentation_offload = true;
  double pacing_ms = 0;
  std::string context;
};

inline const Property<SinkSettings> kProperties[] = {
    {"host", "Where packets go: an IP address or a name", &SinkSettings::host},
    {"port", "The port packets go to", &SinkSettings::port, 1, 65535},
    {"rtcp-port", "The port RTCP goes to (0: the one after port)", &SinkSettings::rtcp_port, 0, 65535},
    {"clients", "Several destinations in place of host and port: host:port,host:port", &SinkSettings::clients},
    {"bind-address", "Address to send from (empty: any)", &SinkSettings::bind_address, 0, 0, kReady},
    {"bind-port", "Port to send from (0: any)", &SinkSettings::bind_port, 0, 65535, kReady},
    {"own-source-port", "Send from a socket, and so a port, of this sink's own, also within a context",
     &SinkSettings::own_source_port, 0, 0, kReady},
    {"qos-dscp", "Differentiated services code point (-1: the system's)", &SinkSettings::qos_dscp, -1, 63, kReady},
    {"ttl", "Hops a packet may take", &SinkSettings::ttl, 1, 255, kReady},
    {"buffer-size", "Bytes of send buffer asked of the kernel (0: its default)", &SinkSettings::buffer_size, 0,
     G_MAXINT, kReady},
    {"segmentation-offload", "Let the kernel cut messages into packets (UDP_SEGMENT), where it can",
     &SinkSettings::segmentation_offload, 0, 0, kReady},
    {"pacing-ms", "Time over which the packets of a list are spread, in ms (0: sent together)",
     &SinkSettings::pacing_ms, 0, 1000, kReady},
    {"context", "Context whose sinks send together (empty: a socket of its own)", &SinkSettings::context, 0, 0, kReady},
};

}  // namespace avc::udpsink
