// Media files for tests, made by GStreamer in a folder of the test's own; nothing is kept.
#pragma once

#include <glib/gstdio.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/gst_check.hpp"

namespace avc::test {

class Folder {
 public:
  Folder() : path_(take(g_dir_make_tmp("avchaos-test-XXXXXX", nullptr)).get()) {}
  ~Folder() {
    GDir *dir = g_dir_open(path_.c_str(), 0, nullptr);
    while (const char *name = g_dir_read_name(dir)) g_unlink((path_ + '/' + name).c_str());
    g_dir_close(dir);
    g_rmdir(path_.c_str());
  }
  Folder(const Folder &) = delete;

  std::string path() const { return path_; }
  std::string path(const std::string &name) const { return path_ + '/' + name; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    GDir *dir = g_dir_open(path_.c_str(), 0, nullptr);
    while (const char *name = g_dir_read_name(dir)) all.emplace_back(name);
    g_dir_close(dir);
    return all;
  }

  std::string text(const std::string &name, const std::string &content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  // The first `share` of another file.
  std::string cut(const std::string &name, const std::string &whole, double share) const {
    std::ifstream in(whole, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    return text(name, bytes.substr(0, static_cast<std::size_t>(static_cast<double>(bytes.size()) * share)));
  }

 private:
  std::string path_;
};

// Runs a pipeline to its end; `%s` in the text is the file to write.
inline std::string make_file(const std::string &path, std::string text) {
  text.replace(text.find("%s"), 2, path);
  const auto pipeline = take(gst_parse_launch(text.c_str(), nullptr));
  ck_assert_msg(pipeline != nullptr, "%s", text.c_str());
  const auto bus = take(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto message = take(gst_bus_timed_pop_filtered(
      bus.get(), 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  ck_assert_msg(message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS, "%s", text.c_str());
  return path;
}

// Two seconds each, small pictures.
inline const char *const kPicture =
    "videotestsrc num-buffers=50 pattern=ball ! video/x-raw,format=I420,width=320,height=180,framerate=25/1 ! ";
inline const char *const kSound = "audiotestsrc num-buffers=100 samplesperbuffer=882 ! audio/x-raw,rate=44100 ! ";
inline const char *const kSound48 = "audiotestsrc num-buffers=100 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! ";

inline std::string mp4_with_b_frames(const Folder &folder) {
  return make_file(folder.path("b-frames.mp4"), std::string("mp4mux name=m ! filesink location=%s ") + kPicture +
                                                    "x264enc bframes=2 b-adapt=false speed-preset=ultrafast ! "
                                                    "h264parse ! m. " +
                                                    kSound + "voaacenc ! aacparse ! m.");
}
inline std::string webm_vp8_vorbis(const Folder &folder) {
  return make_file(folder.path("vp8.webm"), std::string("webmmux name=m ! filesink location=%s ") + kPicture +
                                                "vp8enc deadline=1 ! m. " + kSound + "audioconvert ! vorbisenc ! m.");
}
inline std::string mkv_h264_opus(const Folder &folder) {
  return make_file(folder.path("as-it-is.mkv"), std::string("matroskamux name=m ! filesink location=%s ") + kPicture +
                                                    "openh264enc gop-size=25 ! h264parse ! m. " + kSound48 +
                                                    "audioconvert ! opusenc ! m.");
}

}  // namespace avc::test
