#include "launcher/session/participant_bin.hpp"

namespace avc::session {
namespace {

void handle_message(GstBin *bin, GstMessage *message) noexcept {
  static auto *const parent = GST_BIN_CLASS(g_type_class_ref(GST_TYPE_BIN));
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_STREAM_START:
    case GST_MESSAGE_EOS:
      gst_message_unref(message);
      break;
    default:
      parent->handle_message(bin, message);
  }
}

GType participant_bin_type() {
  static const GType type = g_type_register_static_simple(
      GST_TYPE_BIN, "AvcParticipantBin", sizeof(GstBinClass),
      [](gpointer bin_class, gpointer) noexcept { GST_BIN_CLASS(bin_class)->handle_message = handle_message; },
      sizeof(GstBin), nullptr, GTypeFlags{});
  return type;
}

}  // namespace

GstElement *new_participant_bin(const char *name) {
  return GST_ELEMENT(g_object_new(participant_bin_type(), "name", name, nullptr));
}

}  // namespace avc::session
