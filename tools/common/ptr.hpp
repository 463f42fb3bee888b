// Owning pointers for the C objects the tools use. The table of deleters is closed, as in elements/support: a type
// that is not listed does not compile. take() marks a C call that hands over a reference.
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

#include <memory>

namespace avc::tools {

template <class T>
struct Freer;

#define AVC_TOOLS_FREES(Type, fn)                      \
  template <>                                          \
  struct Freer<Type> {                                 \
    void operator()(Type *p) const noexcept { fn(p); } \
  };

AVC_TOOLS_FREES(GBytes, g_bytes_unref)
AVC_TOOLS_FREES(GCancellable, g_object_unref)
AVC_TOOLS_FREES(GError, g_error_free)
AVC_TOOLS_FREES(GInputStream, g_object_unref)
AVC_TOOLS_FREES(GMainLoop, g_main_loop_unref)
AVC_TOOLS_FREES(GUri, g_uri_unref)
AVC_TOOLS_FREES(JsonBuilder, g_object_unref)
AVC_TOOLS_FREES(GDateTime, g_date_time_unref)
AVC_TOOLS_FREES(JsonNode, json_node_unref)
AVC_TOOLS_FREES(JsonParser, g_object_unref)
AVC_TOOLS_FREES(SoupMessage, g_object_unref)
AVC_TOOLS_FREES(SoupSession, g_object_unref)
AVC_TOOLS_FREES(gchar, g_free)

template <class T>
using Ptr = std::unique_ptr<T, Freer<T>>;

template <class T>
[[nodiscard]] Ptr<T> take(T *p) {  // transfer full, in
  return Ptr<T>(p);
}

}  // namespace avc::tools
