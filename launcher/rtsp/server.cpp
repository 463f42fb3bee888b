#include "launcher/rtsp/server.hpp"

#include <set>
#include <thread>
#include <utility>

#include "core/runtime/guarded.hpp"
#include "elements/support/ptr.hpp"
#include "launcher/rtsp/media.hpp"

namespace avc::rtsp {
namespace {

constexpr guint kTidySeconds = 2;                               // sessions that have timed out
constexpr guint16 kFirstUdpPort = 40000, kLastUdpPort = 65535;  // of UDP clients, where there is one address

struct Unref {
  void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unref>;

struct ContextUnref {
  void operator()(GMainContext *context) const noexcept { g_main_context_unref(context); }
};

class GstServer final : public Server {
 public:
  explicit GstServer(Mounts &mounts) : mounts_(mounts) {}
  ~GstServer() override;

  Result<bool> listen(const ServerSettings &settings);
  const std::string &url() const override { return url_; }
  std::size_t connections() const override { return book_.lock()->connections; }

 private:
  using Client = GstRTSPClient;
  // Which paths are mounted, and who has asked for what: connections are known by their address while they are there.
  struct Book {
    std::set<std::string> mounted;                      // "/TEST/PARTICIPANT"
    std::set<std::pair<Client *, std::string>> asking;  // for tests
    std::size_t connections = 0;
  };

  void set_up(const ServerSettings &settings);
  void connected(Client *client);
  void closed(Client *client);
  void mount(Client *client, const GstRTSPContext *request);
  void end_test(const std::string &id);
  void end_clients(const std::function<bool(Client *)> &which);
  void later(std::function<void()> what);  // on the thread

  Mounts &mounts_;
  std::unique_ptr<GMainContext, ContextUnref> context_{g_main_context_new()};
  GMainLoop *loop_ = g_main_loop_new(context_.get(), FALSE);
  Object<GstRTSPServer> server_{gst_rtsp_server_new()};
  Object<GstRTSPAddressPool> addresses_;  // of ours, for UDP; none: all interfaces
  std::string url_;
  mutable Guarded<Book> book_;
  std::thread thread_;
};

bool is_under(const std::string &mount, const std::string &test) { return mount.starts_with("/" + test + "/"); }

Object<GstRTSPAuth> authentication(const std::string &token) {
  Object<GstRTSPAuth> auth(gst_rtsp_auth_new());
  gst_rtsp_auth_set_supported_methods(auth.get(),
                                      static_cast<GstRTSPAuthMethod>(GST_RTSP_AUTH_BASIC | GST_RTSP_AUTH_DIGEST));
  gst_rtsp_auth_set_realm(auth.get(), kUser);
  GstRTSPToken *role = gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, kUser, nullptr);
  const auto basic = take(gst_rtsp_auth_make_basic(kUser, token.c_str()));
  gst_rtsp_auth_add_basic(auth.get(), basic.get(), role);
  gst_rtsp_auth_add_digest(auth.get(), kUser, token.c_str(), role);
  gst_rtsp_token_unref(role);
  return auth;
}

void GstServer::set_up(const ServerSettings &settings) {
  gst_rtsp_server_set_address(server_.get(), settings.host.empty() ? "0.0.0.0" : settings.host.c_str());
  gst_rtsp_server_set_service(server_.get(), std::to_string(settings.port).c_str());
  const std::string host = settings.host == "localhost" ? "127.0.0.1" : settings.host;
  if (g_hostname_is_ip_address(host.c_str())) {
    addresses_.reset(gst_rtsp_address_pool_new());
    gst_rtsp_address_pool_add_range(addresses_.get(), host.c_str(), host.c_str(), kFirstUdpPort, kLastUdpPort, 0);
  }
  if (!settings.token.empty()) gst_rtsp_server_set_auth(server_.get(), authentication(settings.token).get());
  const Object<GstRTSPThreadPool> threads(gst_rtsp_thread_pool_new());
  gst_rtsp_thread_pool_set_max_threads(threads.get(), -1);
  gst_rtsp_server_set_thread_pool(server_.get(), threads.get());
  const Object<GstRTSPSessionPool> sessions(gst_rtsp_session_pool_new());
  gst_rtsp_session_pool_set_max_sessions(sessions.get(), kMostClients);
  gst_rtsp_server_set_session_pool(server_.get(), sessions.get());
  g_signal_connect(server_.get(), "client-connected",
                   G_CALLBACK(+[](GstRTSPServer *, Client *client, gpointer self) noexcept {
                     static_cast<GstServer *>(self)->connected(client);
                   }),
                   this);
}

Result<bool> GstServer::listen(const ServerSettings &settings) {
  set_up(settings);
  GError *raw = nullptr;
  GSource *source = gst_rtsp_server_create_source(server_.get(), nullptr, &raw);
  const auto fault = take(raw);
  if (source == nullptr) return Error{"", fault ? fault->message : "cannot listen"};
  g_source_attach(source, context_.get());
  g_source_unref(source);
  const bool is_v6 = settings.host.find(':') != std::string::npos;
  url_ = "rtsp://" +
         (is_v6                   ? "[" + settings.host + "]"
          : settings.host.empty() ? "0.0.0.0"
                                  : settings.host) +
         ":" + std::to_string(gst_rtsp_server_get_bound_port(server_.get()));
  GSource *tidy = g_timeout_source_new_seconds(kTidySeconds);
  g_source_set_callback(
      tidy,
      [](gpointer self) -> gboolean {
        const Object<GstRTSPSessionPool> sessions(
            gst_rtsp_server_get_session_pool(static_cast<GstServer *>(self)->server_.get()));
        gst_rtsp_session_pool_cleanup(sessions.get());
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(tidy, context_.get());
  g_source_unref(tidy);
  mounts_.on_withdrawn([this](const std::string &id) { later([this, id] { end_test(id); }); });
  thread_ = std::thread([this] {
    g_main_context_push_thread_default(context_.get());
    g_main_loop_run(loop_);
    g_main_context_pop_thread_default(context_.get());
  });
  return true;
}

GstServer::~GstServer() {
  mounts_.on_withdrawn(nullptr);
  if (thread_.joinable()) {
    later([this] {
      end_clients([](Client *) { return true; });
      g_main_loop_quit(loop_);
    });
    thread_.join();
  }
  server_.reset();
  gst_rtsp_thread_pool_cleanup();
  g_main_loop_unref(loop_);
}

void GstServer::later(std::function<void()> what) {
  GSource *source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  g_source_set_callback(
      source,
      [](gpointer data) -> gboolean {
        (*static_cast<std::function<void()> *>(data))();
        return G_SOURCE_REMOVE;
      },
      new std::function<void()>(std::move(what)),
      [](gpointer data) { delete static_cast<std::function<void()> *>(data); });
  g_source_attach(source, context_.get());
  g_source_unref(source);
}

void GstServer::connected(Client *client) {
  const auto before_request = G_CALLBACK(+[](Client *from, GstRTSPContext *request, gpointer self) noexcept {
    static_cast<GstServer *>(self)->mount(from, request);
    return GST_RTSP_STS_OK;
  });
  g_signal_connect(client, "pre-describe-request", before_request, this);
  g_signal_connect(client, "pre-setup-request", before_request, this);
  g_signal_connect(
      client, "closed",
      G_CALLBACK(+[](Client *from, gpointer self) noexcept { static_cast<GstServer *>(self)->closed(from); }), this);
  if (++book_.lock()->connections <= kMostClients) return;
  const std::shared_ptr<Client> kept(GST_RTSP_CLIENT(g_object_ref(client)), g_object_unref);
  later([kept] { gst_rtsp_client_close(kept.get()); });
}

void GstServer::closed(Client *client) {
  auto book = book_.lock();
  --book->connections;
  std::erase_if(book->asking, [&](const auto &one) { return one.first == client; });
}

// On the client's thread, before the server looks for what is asked for.
void GstServer::mount(Client *client, const GstRTSPContext *request) {
  const auto path =
      parse_path(request->uri != nullptr && request->uri->abspath != nullptr ? request->uri->abspath : "");
  if (!path) return;
  // Held together: a test that ends in between finds what it has to end.
  auto book = book_.lock();
  if (!mounts_.has(*path)) return;
  book->asking.emplace(client, path->test);
  if (!book->mounted.insert(path->mount()).second) return;
  const Object<GstRTSPMountPoints> points(gst_rtsp_server_get_mount_points(server_.get()));
  GstRTSPMediaFactory *factory = new_factory(mounts_, *path);
  if (addresses_) gst_rtsp_media_factory_set_address_pool(factory, addresses_.get());
  gst_rtsp_mount_points_add_factory(points.get(), path->mount().c_str(), factory);
}

void GstServer::end_test(const std::string &id) {
  std::set<Client *> asking;
  {
    auto book = book_.lock();
    const Object<GstRTSPMountPoints> points(gst_rtsp_server_get_mount_points(server_.get()));
    std::erase_if(book->mounted, [&](const std::string &mount) {
      if (!is_under(mount, id)) return false;
      gst_rtsp_mount_points_remove_factory(points.get(), mount.c_str());
      return true;
    });
    for (const auto &[client, test] : book->asking)
      if (test == id) asking.insert(client);
  }
  end_clients([&](Client *client) { return asking.contains(client); });
}

// With their sessions, which a client over UDP would otherwise leave behind until they time out.
void GstServer::end_clients(const std::function<bool(Client *)> &which) {
  const Object<GstRTSPSessionPool> sessions(gst_rtsp_server_get_session_pool(server_.get()));
  GList *clients = gst_rtsp_server_client_filter(server_.get(), nullptr, nullptr);
  for (GList *at = clients; at != nullptr; at = at->next) {
    auto *client = static_cast<Client *>(at->data);
    if (!which(client)) continue;
    GList *own = gst_rtsp_client_session_filter(client, nullptr, nullptr);
    for (GList *one = own; one != nullptr; one = one->next)
      gst_rtsp_session_pool_remove(sessions.get(), static_cast<GstRTSPSession *>(one->data));
    g_list_free_full(own, g_object_unref);
    gst_rtsp_client_close(client);
  }
  g_list_free_full(clients, g_object_unref);
}

}  // namespace

Result<std::unique_ptr<Server>> start_server(const ServerSettings &settings, Mounts &mounts) {
  auto server = std::make_unique<GstServer>(mounts);
  if (auto listening = server->listen(settings); !listening) return listening.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace avc::rtsp
