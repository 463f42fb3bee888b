// Media files of a daemon's tests: where they are taken from, and which key is at fault.
#include "tests/launcher/daemon_fixture.hpp"

using namespace avc::launcher;
using namespace avc::test;

namespace {

// Half a second each, in the media directory.
void make_media(const DaemonFixture &f, const std::string &name, const std::string &text) {
  GError *error = nullptr;
  const std::string file = (f.folder / "media" / name).string();
  GstElement *pipeline = gst_parse_launch((text + " ! filesink location=" + file).c_str(), &error);
  ck_assert_msg(error == nullptr, "%s", error ? error->message : "");
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstMessage *over = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND,
                                                static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  ck_assert(over != nullptr && GST_MESSAGE_TYPE(over) == GST_MESSAGE_EOS);
  gst_message_unref(over);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
}

void make_two_files(const DaemonFixture &f) {
  make_media(f, "picture.h264",
             "videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=160,height=120,framerate=20/1 ! "
             "x264enc bframes=2 b-adapt=false speed-preset=ultrafast ! video/x-h264,stream-format=byte-stream");
  make_media(f, "sound.opus",
             "audiotestsrc num-buffers=25 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! opusenc ! "
             "oggmux max-delay=1000000000 max-page-delay=1000000000");
}

}  // namespace

START_TEST(a_file_that_is_no_media_fails_the_start_and_not_the_daemon) {
  DaemonFixture f;
  ck_assert_uint_eq(f.create("a", "\"media_path\":\"text.mp4\"").status, 201);
  refused(f.post("test/a/start"), 400, "media_path");
  avc_assert_text(at(f.get("test/a").body, "state"), "failed");
  f.run("b");
  avc_assert_text(at(f.get("test/b").body, "state"), "running");
}
END_TEST

START_TEST(picture_and_sound_come_from_two_files) {
  DaemonFixture f;
  make_two_files(f);
  f.run("a", R"("num_participants":1,"media":{"video_path":"picture.h264","audio_path":"sound.opus","fps":5})");
  f.post("test/a/stop");
  // The picture is no media for sound, nor the other way round.
  for (const auto &[media, field] : {std::pair{R"({"video_path":"sound.opus","audio_path":"sound.opus"})", "video"},
                                     {R"({"video_path":"picture.h264","audio_path":"picture.h264"})", "audio"},
                                     {R"({"video_path":"picture.h264","audio_path":"text.mp4"})", "audio"}}) {
    ck_assert_uint_eq(f.create("b", std::string("\"media\":") + media).status, 201);
    const Answer answer = f.post("test/b/start");
    refused(answer, 400, std::string("media.") + field + "_path");
    ck_assert_msg(at(answer.body, "detail").find((f.folder / "media").string()) != std::string::npos, "%s",
                  answer.body.c_str());
    ck_assert_uint_eq(f.remove("test/b").status, 200);
  }
}
END_TEST

START_TEST(the_environments_media_is_played_where_a_test_names_none) {
  const auto with = [](const char *whole, const char *video, const char *audio) {
    return [=](Config &config) {
      const std::string folder = config.media_dirs[0] + "/";
      config.media_dirs.clear();
      if (*whole) config.media_path = folder + whole;
      if (*video) config.media_video_path = folder + video;
      if (*audio) config.media_audio_path = folder + audio;
    };
  };
  {
    DaemonFixture f(with("", "picture.h264", "sound.opus"));
    make_two_files(f);
    f.run("a");
    refused(f.post("test/create", R"({"media":{"audio_path":"none.opus"}})"), 400, "media.audio_path");
  }
  refused(DaemonFixture(with("", "text.mp4", "none.opus")).create("a"), 400, "MEDIA_AUDIO_PATH");
  refused(DaemonFixture(with("", "empty.mp4", "")).create("a"), 400, "MEDIA_VIDEO_PATH");
  refused(DaemonFixture(with("none.mp4", "text.mp4", "text.mp4")).create("a"), 400, "MEDIA_PATH");
  DaemonFixture whole(with("text.mp4", "none.h264", "none.opus"));  // it wins
  ck_assert_uint_eq(whole.create("a").status, 201);
  refused(whole.post("test/a/start"), 400, "MEDIA_PATH");
}
END_TEST

int main() {
  return run_daemon("daemon_media",
                    {a_file_that_is_no_media_fails_the_start_and_not_the_daemon, picture_and_sound_come_from_two_files,
                     the_environments_media_is_played_where_a_test_names_none});
}
