#include "launcher/rtsp/media.hpp"

#include <atomic>
#include <utility>

#include "launcher/rtsp/chain.hpp"
#include "launcher/rtsp/pay_source.hpp"
#include "launcher/rtsp/server.hpp"

namespace avc::rtsp {
namespace {

constexpr guint kVideoClock = 90000, kAudioClock = 48000;

struct Mount {
  Mounts &mounts;
  Path path;
  std::shared_ptr<std::atomic<unsigned>> ended = std::make_shared<std::atomic<unsigned>>(0);  // media that are over
};

using Whom = std::weak_ptr<Chain>;

// An object's own C++ value, which goes with it.
template <class T>
void attach(gpointer object, const char *name, T value) {
  g_object_set_data_full(G_OBJECT(object), name, new T(std::move(value)),
                         [](gpointer held) { delete static_cast<T *>(held); });
}
template <class T>
T &attached(gpointer object, const char *name) {
  return *static_cast<T *>(g_object_get_data(G_OBJECT(object), name));
}

// Which of the two sources have asked for packets: until both have, they would be lost.
struct Asked {
  Whom chain;
  std::shared_ptr<std::atomic<unsigned>> by;
  unsigned me;
};

GstAppSrc *add_source(GstElement *bin, const char *name, PayType type) {
  GstAppSrc *source = new_pay_source(name, type);
  gst_bin_add(GST_BIN(bin), GST_ELEMENT(source));
  return source;
}

void open_when_asked(GstAppSrc *source, Asked asked) {
  GstAppSrcCallbacks callbacks{};
  callbacks.need_data = [](GstAppSrc *, guint, gpointer data) noexcept {
    const auto *one = static_cast<Asked *>(data);
    const unsigned before = one->by->fetch_or(one->me);
    if (before == 3 || (before | one->me) != 3) return;
    if (const auto chain = one->chain.lock()) chain->set_gate(true);
  };
  gst_app_src_set_callbacks(source, &callbacks, new Asked(std::move(asked)),
                            [](gpointer data) { delete static_cast<Asked *>(data); });
}

Result<bool> fill(GstElement *bin, const Mount &mount) {
  const auto watched = mount.mounts.watch(mount.path);
  if (!watched) return Error{mount.path.mount(), "is not there any more"};
  GstAppSrc *video = add_source(bin, "pay0", {kVideoPayload, kVideoClock});
  GstAppSrc *audio = add_source(bin, "pay1", {kAudioPayload, kAudioClock});
  const auto chain = Chain::make(*watched, video, audio);
  if (!chain) return chain.error();
  const auto by = std::make_shared<std::atomic<unsigned>>(0);
  open_when_asked(video, {*chain, by, 1});
  open_when_asked(audio, {*chain, by, 2});
  attach(bin, "chain", *chain);
  return (*chain)->play(mount.mounts.add(*watched, *chain));
}

GstElement *create_element(GstRTSPMediaFactory *factory, const GstRTSPUrl *) noexcept {
  GstElement *bin = GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr)));
  if (const auto filled = fill(bin, attached<Mount>(factory, "mount")); !filled) {
    g_log("avcd-rtsp", G_LOG_LEVEL_WARNING, "%s", filled.error().text().c_str());
    gst_object_unref(bin);
    return nullptr;
  }
  g_object_force_floating(G_OBJECT(bin));
  return bin;
}

// One media for all, whatever a client adds to the path. One that is going down is remembered until it is down, and
// would be given to whoever comes meanwhile: so the next has another name.
gchar *gen_key(GstRTSPMediaFactory *factory, const GstRTSPUrl *) noexcept {
  return g_strdup(std::to_string(*attached<Mount>(factory, "mount").ended).c_str());
}

// The time line of the test, which packets come with.
GstElement *create_pipeline(GstRTSPMediaFactory *, GstRTSPMedia *media) noexcept {
  GstElement *pipeline = gst_pipeline_new(nullptr);
  const auto clock = take(gst_system_clock_obtain());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock.get());
  gst_element_set_start_time(pipeline, GST_CLOCK_TIME_NONE);
  const auto bin = take(gst_rtsp_media_get_element(media));
  gst_element_set_base_time(pipeline, attached<std::shared_ptr<Chain>>(bin.get(), "chain")->base_time());
  gst_rtsp_media_take_pipeline(media, GST_PIPELINE(pipeline));
  return pipeline;
}

struct Follower {
  std::weak_ptr<Chain> chain;
  std::shared_ptr<std::atomic<unsigned>> ended;
};

void follow(GstRTSPMedia *media, const char *signal, const Follower &who, GCallback callback) {
  g_signal_connect_data(
      media, signal, callback, new Follower(who), [](gpointer f, GClosure *) { delete static_cast<Follower *>(f); },
      GConnectFlags{});
}

void media_configure(GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer) noexcept {
  const auto bin = take(gst_rtsp_media_get_element(media));
  const Follower who{attached<std::shared_ptr<Chain>>(bin.get(), "chain"), attached<Mount>(factory, "mount").ended};
  follow(media, "prepared", who, G_CALLBACK(+[](GstRTSPMedia *, gpointer whom) noexcept {
           if (const auto chain = static_cast<Follower *>(whom)->chain.lock()) chain->set_gate(false);
         }));
  follow(media, "new-state", who, G_CALLBACK(+[](GstRTSPMedia *, gint state, gpointer whom) noexcept {
           const auto chain = static_cast<Follower *>(whom)->chain.lock();
           if (chain) chain->set_gate(state == GST_STATE_PLAYING);
         }));
  follow(media, "target-state", who, G_CALLBACK(+[](GstRTSPMedia *, gint state, gpointer whom) noexcept {
           if (state == GST_STATE_NULL) ++*static_cast<Follower *>(whom)->ended;
         }));
  follow(media, "unprepared", who, G_CALLBACK(+[](GstRTSPMedia *, gpointer whom) noexcept {
           if (const auto chain = static_cast<Follower *>(whom)->chain.lock()) chain->stop();
         }));
}

GType factory_type() {
  static const GType type = g_type_register_static_simple(
      GST_TYPE_RTSP_MEDIA_FACTORY, "AvcRtspFactory", sizeof(GstRTSPMediaFactoryClass),
      [](gpointer klass, gpointer) noexcept {
        auto *factory = GST_RTSP_MEDIA_FACTORY_CLASS(klass);
        factory->gen_key = gen_key;
        factory->create_element = create_element;
        factory->create_pipeline = create_pipeline;
      },
      sizeof(GstRTSPMediaFactory), nullptr, GTypeFlags{});
  return type;
}

}  // namespace

GstRTSPMediaFactory *new_factory(Mounts &mounts, const Path &path) {
  auto *factory = GST_RTSP_MEDIA_FACTORY(g_object_new(factory_type(), nullptr));
  attach(factory, "mount", Mount{mounts, path});
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  gst_rtsp_media_factory_set_protocols(
      factory, static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP));
  gst_rtsp_media_factory_add_role(factory, kUser, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
                                  GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
  g_signal_connect(factory, "media-configure", G_CALLBACK(media_configure), nullptr);
  return factory;
}

}  // namespace avc::rtsp
