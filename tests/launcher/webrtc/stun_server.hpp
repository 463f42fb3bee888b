// A STUN server (RFC 8489) on loopback and on the test's own main context, which answers nothing for its first while:
// long enough for an offer to go out without what would be learnt from it.
#pragma once

#include <gio/gio.h>

#include <array>
#include <cstring>
#include <vector>

#include "tests/check.hpp"

namespace avc::test {

class LateStunServer {
 public:
  explicit LateStunServer(unsigned silent_ms) : silent_us_(gint64{silent_ms} * 1000) {
    socket_ = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr);
    GSocketAddress *any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
    ck_assert(g_socket_bind(socket_, any, FALSE, nullptr) != FALSE);
    g_object_unref(any);
    GSocketAddress *own = g_socket_get_local_address(socket_, nullptr);
    port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(own));
    g_object_unref(own);
    source_ = g_socket_create_source(socket_, G_IO_IN, nullptr);
    const GSocketSourceFunc take = [](GSocket *, GIOCondition, gpointer self) noexcept -> gboolean {
      static_cast<LateStunServer *>(self)->take_one();
      return G_SOURCE_CONTINUE;
    };
    g_source_set_callback(source_, reinterpret_cast<GSourceFunc>(reinterpret_cast<void *>(take)), this, nullptr);
    g_source_attach(source_, nullptr);
  }
  ~LateStunServer() {
    g_source_destroy(source_);
    g_source_unref(source_);
    g_object_unref(socket_);
  }
  LateStunServer(const LateStunServer &) = delete;
  LateStunServer &operator=(const LateStunServer &) = delete;

  static constexpr const char *kMapped = "127.0.0.9";  // what everybody is told to be seen as
  guint16 port = 0;
  unsigned asked = 0;

 private:
  void take_one() {
    std::array<char, 1500> packet{};
    GSocketAddress *from = nullptr;
    const gssize size = g_socket_receive_from(socket_, &from, packet.data(), packet.size(), nullptr, nullptr);
    const bool binding = size >= 20 && packet[0] == 0 && packet[1] == 1;
    if (binding && asked++ == 0) first_us_ = g_get_monotonic_time();
    if (binding && g_get_monotonic_time() - first_us_ >= silent_us_) answer(packet.data(), from);
    g_clear_object(&from);
  }

  // XOR-MAPPED-ADDRESS: the port and kMapped, each against the magic cookie 0x2112A442.
  void answer(const char *request, GSocketAddress *to) {
    const auto seen = static_cast<guint16>(g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(to)) ^ 0x2112);
    std::array<char, 32> reply{1, 1, 0, 12};
    std::memcpy(reply.data() + 4, request + 4, 16);  // cookie and transaction
    const std::array<unsigned char, 12> attribute{0,
                                                  0x20,
                                                  0,
                                                  8,
                                                  0,
                                                  1,
                                                  static_cast<unsigned char>(seen >> 8),
                                                  static_cast<unsigned char>(seen & 255),
                                                  127 ^ 0x21,
                                                  0x12,
                                                  0xA4,
                                                  9 ^ 0x42};
    std::memcpy(reply.data() + 20, attribute.data(), attribute.size());
    g_socket_send_to(socket_, to, reply.data(), reply.size(), nullptr, nullptr);
  }

  GSocket *socket_ = nullptr;
  GSource *source_ = nullptr;
  const gint64 silent_us_;
  gint64 first_us_ = 0;
};

}  // namespace avc::test
