// An avchaosudpsink that tests push into, and ports of the kernel's choice that what it sends arrives at.
#pragma once

#include "tests/elements/rtp_packets.hpp"

#include <poll.h>

#include <utility>

#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/context.hpp"
#include "core/runtime/steady_clock.hpp"
#include "elements/udpsink/shared_socket.hpp"

namespace avc::test {

struct Port {
  runtime::UdpSocket socket = std::move(*runtime::UdpSocket::open({.receive_buffer = 4 << 20}));
  runtime::BatchReceiver receiver{socket.fd()};
  runtime::Address sender;

  unsigned number() const { return socket.local().port(); }
  // What comes until there are `count` datagrams; fewer only when nothing came for five seconds.
  std::vector<Octets> take(std::size_t count) {
    std::vector<Octets> got;
    while (got.size() < count) {
      pollfd polled{socket.fd(), POLLIN, 0};
      if (poll(&polled, 1, 5000) != 1) break;
      for (const auto &datagram : receiver.receive()) {
        got.emplace_back(datagram.bytes.begin(), datagram.bytes.end());
        sender = datagram.from;
      }
    }
    return got;
  }
  // Also asked on the context's thread, while the test is about to take(): looks, and touches nothing of the receiver.
  bool empty() const {
    char byte = 0;
    return recv(socket.fd(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 0;
  }
  void send_back(std::span<const std::uint8_t> bytes) {
    ck_assert_int_gt(sendto(socket.fd(), bytes.data(), bytes.size(), 0, sender.get(), sender.size()), 0);
  }
};

inline std::shared_ptr<runtime::Context> private_context() {
  return runtime::Context::shared("", std::make_shared<runtime::SteadyClock>());
}

inline std::shared_ptr<const udpsink::Target> to(const Port &port) {
  return std::make_shared<const udpsink::Target>(udpsink::Target{{{port.socket.local(), port.socket.local()}}});
}

// A sink with an upstream pad, PLAYING, as the last of nothing: packets are pushed by the test.
inline Ptr<GstHarness> sink_to(unsigned port, const std::string &more = "") {
  const std::string launch = "avchaosudpsink host=127.0.0.1 port=" + std::to_string(port) + " " + more;
  GError *error = nullptr;
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(launch.c_str(), &error))));
  ck_assert_msg(error == nullptr, "%s", error ? error->message : "");
  auto h = take(gst_harness_new_with_element(element.get(), "sink", nullptr));
  gst_harness_set_src_caps_str(h.get(), "application/x-rtp");
  return h;
}

inline Ptr<GstBuffer> packet(std::uint16_t sequence, std::uint32_t ssrc = 1001000) {
  RtpPacket made;
  made.fields.sequence = sequence;
  made.fields.ssrc = ssrc;
  return packet_of(made);
}

inline Ptr<GstBufferList> list_of(std::uint16_t from, int count) {
  auto list = take(gst_buffer_list_new());
  for (int i = 0; i < count; ++i) gst_buffer_list_add(list.get(), give(packet(static_cast<std::uint16_t>(from + i))));
  return list;
}

inline void push(const Ptr<GstHarness> &h, Ptr<GstBuffer> buffer) {
  ck_assert_int_eq(gst_harness_push(h.get(), give(std::move(buffer))), GST_FLOW_OK);
}

inline void push(const Ptr<GstHarness> &h, Ptr<GstBufferList> list) {
  ck_assert_int_eq(gst_pad_push_list(h->srcpad, give(std::move(list))), GST_FLOW_OK);
}

inline guint64 sink_stat(const Ptr<GstHarness> &h, const char *field) { return stat(h->element, field); }

}  // namespace avc::test
