// In place of server.cpp where gst-rtsp-server was not there when this was built.
#include "launcher/rtsp/server.hpp"

namespace avc::rtsp {

Result<std::unique_ptr<Server>> start_server(const ServerSettings &, Mounts &) {
  return Error{"", "this program was built without RTSP (gst-rtsp-server)"};
}

}  // namespace avc::rtsp
