#include "elements/support/ecn.hpp"

#include <gio/gio.h>
#include <gst/net/gstnetcontrolmessagemeta.h>
#include <netinet/in.h>

#include <cstring>
#include <optional>

namespace avc {
namespace {

constexpr const char *kTypeName = "AvcTypeOfServiceMessage";

// GLib has no message of this kind before 2.84. It travels as the int that ip(7) wants.
struct TypeOfService {
  GSocketControlMessage parent;
  int tos;
};
struct TypeOfServiceClass {
  GSocketControlMessageClass parent_class;
};

TypeOfService *self_of(GSocketControlMessage *message) { return reinterpret_cast<TypeOfService *>(message); }

GType type_of_service_type();

GSocketControlMessage *from_socket(int level, int type, gsize size, gpointer data) {
  if (level != IPPROTO_IP || type != IP_TOS || (size != 1 && size != sizeof(int))) return nullptr;
  auto *message = static_cast<GSocketControlMessage *>(g_object_new(type_of_service_type(), nullptr));
  std::uint8_t byte = 0;  // the kernel gives one byte; ours is an int below 256, on little-endian machines alike
  int whole = 0;
  if (size == 1) {
    std::memcpy(&byte, data, 1);
    whole = byte;
  } else {
    std::memcpy(&whole, data, sizeof whole);
  }
  self_of(message)->tos = whole;
  return message;
}

void class_init(gpointer klass, gpointer) {
  auto *message = static_cast<GSocketControlMessageClass *>(klass);
  message->get_size = [](GSocketControlMessage *) { return gsize{sizeof(int)}; };
  message->get_level = [](GSocketControlMessage *) { return int{IPPROTO_IP}; };
  message->get_type = [](GSocketControlMessage *) { return int{IP_TOS}; };
  message->serialize = [](GSocketControlMessage *m, gpointer data) {
    std::memcpy(data, &self_of(m)->tos, sizeof(int));
  };
  message->deserialize = from_socket;
}

GType type_of_service_type() {
  // A program that links the elements and loads the plugin too has this code twice, and one type.
  static const GType known = g_type_from_name(kTypeName);
  if (known) return known;
  static const GType type =
      g_type_register_static_simple(G_TYPE_SOCKET_CONTROL_MESSAGE, kTypeName, sizeof(TypeOfServiceClass), class_init,
                                    sizeof(TypeOfService), nullptr, static_cast<GTypeFlags>(0));
  return type;
}

// Any class of message will do, whoever made it.
std::optional<int> tos_of(GSocketControlMessage *message) {
  if (g_socket_control_message_get_level(message) != IPPROTO_IP ||
      g_socket_control_message_get_msg_type(message) != IP_TOS)
    return std::nullopt;
  int tos = 0;
  const gsize size = g_socket_control_message_get_size(message);
  if (size > sizeof tos) return std::nullopt;
  g_socket_control_message_serialize(message, &tos);
  return tos;
}

GstNetControlMessageMeta *tos_meta(GstBuffer *buffer, int &tos) {
  gpointer state = nullptr;
  const GType api = GST_NET_CONTROL_MESSAGE_META_API_TYPE;
  while (auto *meta = gst_buffer_iterate_meta_filtered(buffer, &state, api)) {
    auto *control = reinterpret_cast<GstNetControlMessageMeta *>(meta);
    if (const auto found = tos_of(control->message)) {
      tos = *found;
      return control;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<int> type_of_service(GstBuffer *buffer) {
  int tos = 0;
  return tos_meta(buffer, tos) ? std::optional(tos) : std::nullopt;
}

net::Ecn ecn_of(GstBuffer *buffer) { return static_cast<net::Ecn>(type_of_service(buffer).value_or(0) & 3); }

Ptr<GstBuffer> with_ce(Ptr<GstBuffer> buffer) {
  auto own = take(gst_buffer_make_writable(give(std::move(buffer))));
  int tos = 0;
  if (auto *meta = tos_meta(own.get(), tos)) gst_buffer_remove_meta(own.get(), &meta->meta);
  auto *message = static_cast<GSocketControlMessage *>(g_object_new(type_of_service_type(), nullptr));
  self_of(message)->tos = (tos & ~3) | static_cast<int>(net::Ecn::ce);
  gst_buffer_add_net_control_message_meta(own.get(), message);
  g_object_unref(message);
  return own;
}

}  // namespace avc
