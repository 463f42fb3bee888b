// The whole daemon in this process, on port 0, with an HTTP client beside it on the same main context: an old client's
// calls, what is refused and how, and that spikes and the end of a test really happen.
#include "launcher/daemon.hpp"

#include <gst/gst.h>
#include <json-glib/json-glib.h>

#include <filesystem>
#include <fstream>

#include "launcher/plugin.hpp"
#include "launcher/receiver/embedded.hpp"
#include "tests/launcher/http_client.hpp"

using namespace avc::launcher;
using avc::test::Answer;
using avc::test::Client;
using avc::test::iterate_until;
namespace fs = std::filesystem;

namespace {

// A small picture: media is then ready in well under a second.
constexpr const char *kSmall =
    R"("video":{"width":160,"height":120,"fps":10,"bitrate_kbps":200},"renditions":[200,100],)"
    R"("target":{"transport":"loopback"})";

struct Fixture {
  explicit Fixture(std::function<void(Config &)> change = {}) {
    folder = fs::temp_directory_path() / ("avchaosd-test-" + std::to_string(g_random_int()));
    fs::create_directories(folder / "media");
    std::ofstream(folder / "media" / "text.mp4") << "this is no media at all";
    std::ofstream(folder / "media" / "empty.mp4");
    Config config;
    config.listen_port = 0;
    config.state_dir = (folder / "state").string();
    config.media_dirs = {(folder / "media").string()};
    if (change) change(config);
    daemon = std::make_unique<Daemon>(config);
    auto started = daemon->start();
    ck_assert_msg(bool(started), "%s", started ? "" : started.error().text().c_str());
    url = *started;
    client = std::make_unique<Client>(url);
  }
  ~Fixture() {
    client.reset();
    daemon.reset();
    fs::remove_all(folder);
  }

  Answer post(const std::string &path, const std::string &body = "{}") {
    return client->call("POST", "/api/v1/" + path, body);
  }
  Answer get(const std::string &path) { return client->call("GET", "/api/v1/" + path); }
  Answer remove(const std::string &path) { return client->call("DELETE", "/api/v1/" + path); }
  Answer create(const std::string &id, const std::string &more = "") {
    return post("test/create", "{\"test_id\":\"" + id + "\"," + kSmall + (more.empty() ? "" : ",") + more + "}");
  }
  void run(const std::string &id, const std::string &more = "") {
    const Answer created = create(id, more), started = post("test/" + id + "/start");
    ck_assert_msg(created.status == 201, "%s", created.body.c_str());
    ck_assert_msg(started.status == 200, "%s", started.body.c_str());
  }
  void wait_until(const std::string &path, const std::string &text) {
    std::string last;
    for (int i = 0; i < 400; ++i) {
      last = get(path).body;
      if (last.find(text) != std::string::npos) return;
      bool over = false;
      g_timeout_add(
          50, [](gpointer flag) -> gboolean { return !(*static_cast<bool *>(flag) = true); }, &over);
      iterate_until([&] { return over; });
    }
    ck_abort_msg("%s never said %s: %s", path.c_str(), text.c_str(), last.c_str());
  }

  fs::path folder;
  std::unique_ptr<Daemon> daemon;
  std::string url;
  std::unique_ptr<Client> client;
};

// The value at a path such as "aggregate.total_packets_sent" or "participants.0.participant_id", as text.
std::string at(const std::string &json, const std::string &path) {
  JsonNode *root = json_from_string(json.c_str(), nullptr);
  ck_assert_msg(root != nullptr, "not JSON: %s", json.c_str());
  JsonNode *node = root;
  std::string rest = path;
  while (node != nullptr && !rest.empty()) {
    const auto dot = rest.find('.');
    const std::string key = rest.substr(0, dot);
    rest = dot == std::string::npos ? "" : rest.substr(dot + 1);
    if (JSON_NODE_HOLDS_ARRAY(node)) {
      JsonArray *array = json_node_get_array(node);
      const auto index = static_cast<guint>(std::stoul(key));
      node = index < json_array_get_length(array) ? json_array_get_element(array, index) : nullptr;
    } else {
      node = JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), key.c_str()) : nullptr;
    }
  }
  std::string text = "(none)";
  if (node != nullptr) {
    char *raw = json_to_string(node, FALSE);
    text = raw;
    g_free(raw);
    if (text.size() > 1 && text.front() == '"') text = text.substr(1, text.size() - 2);
  }
  json_node_unref(root);
  return text;
}

double number_at(const std::string &json, const std::string &path) {
  const std::string text = at(json, path);
  ck_assert_msg(text != "(none)", "no %s in %s", path.c_str(), json.c_str());
  return g_ascii_strtod(text.c_str(), nullptr);
}

void refused(const Answer &answer, unsigned status, const std::string &field) {
  ck_assert_msg(answer.status == status, "%u: %s", answer.status, answer.body.c_str());
  avc_assert_text(answer.type, "application/problem+json");
  avc_assert_text(at(answer.body, "field"), field.empty() ? "(none)" : field);
  ck_assert_msg(at(answer.body, "detail").size() > 10, "%s", answer.body.c_str());
}

}  // namespace

START_TEST(an_old_clients_calls_work) {
  Fixture f;
  const Answer health = f.client->call("GET", "/healthz");
  avc_assert_text(health.body, "{\"partition_id\":0,\"status\":\"healthy\",\"total_partitions\":1}\n");

  const Answer created =
      f.create("chaos_test_1", R"("num_participants":3,"audio":{"sample_rate":48000,"channels":1,"bitrate_kbps":128,)"
                               R"("codec":"opus"},"duration_seconds":60,"backend_rtp_base_port":"6000")");
  ck_assert_msg(created.status == 201, "%s", created.body.c_str());
  avc_assert_text(at(created.body, "test_id"), "chaos_test_1");
  avc_assert_text(at(created.body, "participants.2.participant_id"), "1003");
  avc_assert_text(at(created.body, "participants.2.backend_rtp_port"), "6002");
  avc_assert_text(at(created.body, "backend_port_start"), "6000");
  avc_assert_text(at(created.body, "backend_port_end"), "6002");
  const Answer before = f.get("test/chaos_test_1");
  avc_assert_text(at(before.body, "state"), "created");
  avc_assert_text(at(before.body, "elapsed_seconds"), "(none)");
  avc_assert_text(at(before.body, "config.backend_rtp_base_port"), "6000");

  const Answer started = f.post("test/chaos_test_1/start");
  avc_assert_text(at(started.body, "started"), "true");
  ck_assert(number_at(started.body, "start_time_unix_ms") > 1.7e12);
  avc_assert_text(at(f.get("test/chaos_test_1/").body, "state"), "running");

  const Answer spike = f.post("test/chaos_test_1/spike",
                              R"({"spike_id":"s1","type":"rtp_packet_loss","participant_ids":[1001],)"
                              R"("duration_seconds":2,"params":{"loss_percentage":"25","pattern":"random"}})");
  ck_assert_msg(spike.status == 200, "%s", spike.body.c_str());
  avc_assert_text(at(spike.body, "injected"), "true");
  avc_assert_text(at(spike.body, "participants"), "1");
  ck_assert(at(spike.body, "message").find("s1") != std::string::npos);

  f.wait_until("test/chaos_test_1/metrics", "\"mos_score\"");
  const Answer metrics = f.get("test/chaos_test_1/metrics");
  avc_assert_text(at(metrics.body, "test_id"), "chaos_test_1");
  avc_assert_text(at(metrics.body, "participants.0.participant_id"), "1001");
  for (const char *name : {"frames_sent", "bytes_sent", "packets_sent", "current_bitrate_kbps"}) {
    ck_assert_msg(number_at(metrics.body, std::string("participants.2.") + name) > 0, "%s: %s", name,
                  metrics.body.c_str());
  }
  for (const char *name : {"total_frames_sent", "total_packets_sent", "total_bitrate_kbps", "avg_mos_score"}) {
    ck_assert_msg(number_at(metrics.body, std::string("aggregate.") + name) > 0, "%s", name);
  }
  const Answer text = f.get("test/chaos_test_1/metrics?format=prometheus");
  avc_assert_text(text.type, "text/plain; version=0.0.4");
  ck_assert(text.body.find("rtp_packets_sent_total{test_id=\"chaos_test_1\",type=\"aggregate\"}") != std::string::npos);
  ck_assert(f.client->call("GET", "/metrics").body.find("rtp_test_state{test_id=\"chaos_test_1\",partition=\"0\"} 1") !=
            std::string::npos);

  const Answer stopped = f.post("test/chaos_test_1/stop");
  avc_assert_text(at(stopped.body, "stopped"), "true");
  ck_assert(number_at(stopped.body, "final_metrics.aggregate.total_packets_sent") > 0);
  avc_assert_text(at(f.get("test/chaos_test_1").body, "state"), "stopped");
  ck_assert_uint_eq(f.post("test/chaos_test_1/stop").status, 200);
}
END_TEST

START_TEST(what_cannot_be_is_refused_with_the_right_status) {
  Fixture f([](Config &config) { config.max_participants = 10; });
  refused(f.get("test/none"), 404, "test_id");
  for (const char *route : {"start", "stop", "spike"})
    refused(f.post(std::string("test/none/") + route), 404, "test_id");
  for (const char *route : {"metrics", "plan", "spikes", "participants", "events", "report.json", "report.html"}) {
    refused(f.get(std::string("test/none/") + route), 404, "test_id");
  }
  ck_assert_uint_eq(f.create("a").status, 201);
  refused(f.create("a"), 409, "test_id");
  refused(f.post("test/a/spike", R"({"spike_id":"s","type":"rtp_packet_loss"})"), 409, "");
  refused(f.get("test/a/report.json"), 409, "");
  const Answer full = f.create("b", "\"num_participants\":11");
  refused(full, 429, "num_participants");
  avc_assert_text(full.retry_after, "10");
  for (const char *route : {"sdp/1001", "ice/1001"}) refused(f.get(std::string("test/a/") + route), 501, "");
  for (const char *route : {"sdp/1001", "answer/1001", "ice/1001"})
    refused(f.post(std::string("test/a/") + route), 501, "");
  avc_assert_text(f.client->call("PUT", "/api/v1/test/a").allow, "DELETE, GET");
  ck_assert_uint_eq(f.remove("test/a").status, 200);
  refused(f.get("test/a"), 404, "test_id");
}
END_TEST

START_TEST(bad_bodies_name_the_field) {
  Fixture f;
  const struct {
    const char *body, *field;
  } cases[] = {
      {"", ""},
      {"{", ""},
      {"[]", ""},
      {"nonsense", ""},
      {R"({"num_participants":-1})", "num_participants"},
      {R"({"num_participants":4294967296})", "num_participants"},
      {R"({"num_participants":"many"})", "num_participants"},
      {R"({"video":{"fps":1e99}})", "video.fps"},
      {R"({"video":{"fps":-3}})", "video.fps"},
      {R"({"video":{"width":0.5}})", "video.width"},
      {R"({"duration_seconds":-5})", "duration_seconds"},
      {R"({"test_id":"a b\n"})", "test_id"},
      {R"({"test_id":".."})", "test_id"},
      {R"({"media_path":"/etc/passwd"})", "media_path"},
      {R"({"media_path":"none.mp4"})", "media_path"},
      {R"({"media_path":"empty.mp4"})", "media_path"},
      {R"({"media":{"video_path":"none.h264","audio_path":"text.mp4"}})", "media.video_path"},
      {R"({"media":{"video_path":"text.mp4","audio_path":"/etc/passwd"}})", "media.audio_path"},
      {R"({"media":{"audio_path":"empty.mp4"}})", "media.audio_path"},
      {R"({"spikes":[{"spike_id":"x","type":"rtp_packet_loss","params":{"loss_percentage":"101"}}]})",
       "spikes[0].params.loss_percentage"},
      {R"({"spikes":[null]})", "spikes[0]"},
  };
  for (const auto &one : cases) {
    const Answer answer = f.post("test/create", one.body);
    ck_assert_msg(answer.status == 400, "%s: %u %s", one.body, answer.status, answer.body.c_str());
    ck_assert_msg(at(answer.body, "field") == (*one.field ? one.field : "(none)"), "%s: %s", one.body,
                  answer.body.c_str());
  }
  for (const char *address : {"8.8.8.8", "169.254.169.254"}) {
    refused(f.post("test/create", std::string(R"({"target":{"port":80,"host":")") + address + "\"}}"), 403,
            "target.host");
  }
  avc_assert_text(at(f.get("tests").body, "tests"), "[]");
  ck_assert_uint_eq(f.create("alive").status, 201);
}
END_TEST

START_TEST(a_file_that_is_no_media_fails_the_start_and_not_the_daemon) {
  Fixture f;
  ck_assert_uint_eq(f.create("a", "\"media_path\":\"text.mp4\"").status, 201);
  refused(f.post("test/a/start"), 400, "media_path");
  avc_assert_text(at(f.get("test/a").body, "state"), "failed");
  f.run("b");
  avc_assert_text(at(f.get("test/b").body, "state"), "running");
}
END_TEST

namespace {

// Half a second each, in the media directory.
void make_media(const Fixture &f, const std::string &name, const std::string &text) {
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

void make_two_files(const Fixture &f) {
  make_media(f, "picture.h264",
             "videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=160,height=120,framerate=20/1 ! "
             "x264enc bframes=2 b-adapt=false speed-preset=ultrafast ! video/x-h264,stream-format=byte-stream");
  make_media(f, "sound.opus",
             "audiotestsrc num-buffers=25 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! opusenc ! "
             "oggmux max-delay=1000000000 max-page-delay=1000000000");
}

}  // namespace

START_TEST(picture_and_sound_come_from_two_files) {
  Fixture f;
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
    Fixture f(with("", "picture.h264", "sound.opus"));
    make_two_files(f);
    f.run("a");
    refused(f.post("test/create", R"({"media":{"audio_path":"none.opus"}})"), 400, "media.audio_path");
  }
  refused(Fixture(with("", "text.mp4", "none.opus")).create("a"), 400, "MEDIA_AUDIO_PATH");
  refused(Fixture(with("", "empty.mp4", "")).create("a"), 400, "MEDIA_VIDEO_PATH");
  refused(Fixture(with("none.mp4", "text.mp4", "text.mp4")).create("a"), 400, "MEDIA_PATH");
  Fixture whole(with("text.mp4", "none.h264", "none.opus"));  // it wins
  ck_assert_uint_eq(whole.create("a").status, 201);
  refused(whole.post("test/a/start"), 400, "MEDIA_PATH");
}
END_TEST

START_TEST(a_test_starts_once) {
  Fixture f;
  f.run("a");
  refused(f.post("test/a/start"), 409, "");
  refused(f.remove("test/a"), 409, "");
  f.post("test/a/stop");
  refused(f.post("test/a/start"), 409, "");
  refused(f.post("test/a/spike", R"({"spike_id":"s","type":"rtp_packet_loss"})"), 409, "");
}
END_TEST

START_TEST(bad_spikes_name_the_field) {
  Fixture f;
  f.run("a");
  const struct {
    const char *body, *field;
    unsigned status;
  } cases[] = {
      {"{}", "spike_id", 400},
      {R"({"spike_id":"s"})", "type", 400},
      {R"({"spike_id":"s","type":"no_such_type"})", "type", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","params":{"loss_percentage":"-1"}})", "params.loss_percentage", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","params":{"loss_percentage":"NaN"}})", "params.loss_percentage",
       400},
      {R"({"spike_id":"s","type":"bitrate_reduce"})", "params.new_bitrate_kbps", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","participant_ids":[-1]})", "participant_ids[0]", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","participant_ids":[77]})", "participant_ids", 404},
  };
  for (const auto &one : cases) {
    const Answer answer = f.post("test/a/spike", one.body);
    ck_assert_msg(answer.status == one.status && at(answer.body, "field") == one.field, "%s: %u %s", one.body,
                  answer.status, answer.body.c_str());
  }
  const Answer partly =
      f.post("test/a/spike", R"({"spike_id":"s","type":"audio_silence","participant_ids":[1001,77]})");
  avc_assert_text(at(partly.body, "participants"), "1");
  ck_assert(at(partly.body, "warnings.0").find("77") != std::string::npos);
  refused(f.remove("test/a/spike/nobody"), 404, "spike_id");
}
END_TEST

START_TEST(a_spike_happens_is_listed_and_ends_by_itself) {
  Fixture f;
  f.run("a", R"("num_participants":2)");
  const Answer spike = f.post("test/a/spike", R"({"spike_id":"s","type":"rtp_packet_loss","participant_ids":[1002],)"
                                              R"("duration_seconds":1,"params":{"loss_percentage":100}})");
  avc_assert_text(at(spike.body, "participants"), "1");
  f.wait_until("test/a/spikes", "\"active\"");
  f.wait_until("test/a/spikes", "\"ended\"");
  const Answer one = f.get("test/a/participants/1001"), two = f.get("test/a/participants/1002");
  avc_assert_text(at(one.body, "packets_lost_on_purpose"), "(none)");
  ck_assert_msg(number_at(two.body, "packets_lost_on_purpose") > 0, "%s", two.body.c_str());
  avc_assert_text(at(one.body, "state"), "running");
}
END_TEST

START_TEST(a_spike_can_be_cancelled_and_its_id_used_again) {
  Fixture f;
  f.run("a");
  const char *silence = R"({"spike_id":"s","type":"audio_silence"})";
  ck_assert_uint_eq(f.post("test/a/spike", silence).status, 200);
  f.wait_until("test/a/spikes", "\"active\"");
  ck_assert_uint_eq(f.remove("test/a/spike/s").status, 200);
  f.wait_until("test/a/spikes", "\"cancelled\"");
  refused(f.remove("test/a/spike/s"), 409, "");
  avc_assert_text(at(f.post("test/a/spike", silence).body, "spike_id"), "s#2");
}
END_TEST

START_TEST(a_reduction_says_which_rendition_it_gets) {
  Fixture f;
  f.run("a");
  const Answer spike =
      f.post("test/a/spike", R"({"spike_id":"s","type":"bitrate_reduce","params":{"new_bitrate_kbps":"150"}})");
  ck_assert_msg(spike.status == 200, "%s", spike.body.c_str());
  avc_assert_text(at(spike.body, "rendition_kbps"), "100");
}
END_TEST

START_TEST(the_daemon_ends_a_test_when_its_time_is_over_and_reports) {
  Fixture f;
  f.run("a", R"("duration_seconds":2,"seed":7,"spike_distribution":{"strategy":"legacy"},"spikes":[{"spike_id":"p",)"
             R"("type":"rtp_packet_loss","start_offset_seconds":0.5,"duration_seconds":0.5,)"
             R"("params":{"loss_percentage":"50"}}])");
  f.wait_until("test/a", "\"stopped\"");
  const Answer report = f.get("test/a/report.json");
  ck_assert_msg(report.status == 200, "%s", report.body.c_str());
  avc_assert_text(at(report.body, "test_id"), "a");
  avc_assert_text(at(report.body, "seed"), "7");
  avc_assert_text(at(report.body, "reason"), "completed");
  avc_assert_text(at(report.body, "spikes.0.state"), "ended");
  avc_assert_text(at(report.body, "spikes.0.participants"), "5");
  ck_assert_double_eq_tol(number_at(report.body, "duration_seconds"), 2, 0.5);
  avc_assert_text(f.get("test/a/report.html").type, "text/html; charset=utf-8");
}
END_TEST

START_TEST(the_same_seed_gives_the_same_plan) {
  Fixture f;
  const std::string spikes = R"("duration_seconds":100,"spike_distribution":{"strategy":"random"},"spikes":[)"
                             R"({"spike_id":"x","type":"audio_silence","duration_seconds":3},)"
                             R"({"spike_id":"y","type":"audio_silence","duration_seconds":3}],"seed":)";
  f.create("a", spikes + "1");
  f.create("b", spikes + "1");
  f.create("c", spikes + "2");
  const auto starts = [&](const char *id) {
    const std::string plan = f.get(std::string("test/") + id + "/plan").body;
    return at(plan, "spikes.0.start_seconds") + " " + at(plan, "spikes.1.start_seconds");
  };
  avc_assert_text(starts("a"), starts("b"));
  ck_assert(starts("a") != starts("c"));
}
END_TEST

START_TEST(without_a_target_an_old_client_sends_to_5002_and_a_scenario_to_the_embedded_receiver) {
  Fixture f;
  avc_assert_text(at(f.post("test/create", R"({"test_id":"old"})").body, "target"), "udp 127.0.0.1:5002");
  const Answer strict = f.post("test/create?strict=1", R"({"test_id":"new"})");
  ck_assert_msg(at(strict.body, "target").starts_with("loopback"), "%s", strict.body.c_str());
  refused(f.post("test/create?strict=1", R"({"test_id":"x","num_particpants":3})"), 400, "num_particpants");
}
END_TEST

START_TEST(state_and_samples_come_as_events) {
  Fixture f;
  f.create("a", R"("duration_seconds":2)");
  avc::test::RawConnection events(f.url);
  events.write("GET /api/v1/test/a/events HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert(events.wait_for(": avchaosd"));
  f.post("test/a/start");
  ck_assert_msg(events.wait_for("event: sample"), "%s", events.got.c_str());
  ck_assert_msg(events.wait_for("\"state\":\"stopped\""), "%s", events.got.c_str());
  ck_assert(events.wait_for("\r\n0\r\n\r\n"));
}
END_TEST

START_TEST(only_this_workers_participants_are_made) {
  Fixture f([](Config &config) {
    config.partition = 1;
    config.partitions = 2;
  });
  const Answer created = f.create("a", R"("num_participants":4)");
  avc_assert_text(at(created.body, "participants.0.participant_id"), "1001");
  avc_assert_text(at(created.body, "participants.1.participant_id"), "1003");
  avc_assert_text(at(created.body, "backend_port_start"), "15000");
  avc_assert_text(at(created.body, "backend_port_end"), "15001");
  avc_assert_text(at(f.get("test/a").body, "num_participants"), "2");
}
END_TEST

START_TEST(a_test_that_is_over_leaves_its_port_and_its_log_to_the_next) {
  Fixture f;
  auto receiver = avc::receiver::Embedded::open();
  const std::string port = std::to_string((*receiver)->port());
  receiver->reset();
  const std::string target = R"({"transport":"loopback","port":)" + port + "}";
  const std::string again = R"({"test_id":"again","decision_log":true,"num_participants":1,"video":{"width":160,)"
                            R"("height":120,"fps":10,"bitrate_kbps":200},"renditions":[200,100],"target":)" +
                            target + "}";
  std::string logs[2];
  for (std::string &log : logs) {
    const Answer created = f.post("test/create", again);
    ck_assert_msg(created.status == 201, "%s", created.body.c_str());
    ck_assert_uint_eq(f.post("test/again/start").status, 200);
    f.wait_until("test/again/metrics", "total_packets_sent");
    ck_assert_uint_eq(f.post("test/again/stop").status, 200);
    // Asked about, it still says what was received.
    ck_assert(f.get("test/again/participants/1001").body.find("\"received\"") != std::string::npos);
    const Answer other = f.post("test/create", R"({"test_id":"other","target":)" + target + "}");
    ck_assert_msg(other.status == 201, "%s", other.body.c_str());
    f.remove("test/other");
    f.remove("test/again");
    std::ifstream file(f.folder / "state" / "again.decisions.jsonl");
    log.assign(std::istreambuf_iterator<char>(file), {});
  }
  const std::string first = R"("1001/video","n":0,)";
  for (const std::string &log : logs) {
    const auto at = log.find(first);
    ck_assert(at != std::string::npos);
    ck_assert(log.find(first, at + 1) == std::string::npos);
  }
}
END_TEST

START_TEST(ending_the_daemon_stops_its_tests_and_keeps_their_results) {
  Fixture f;
  f.run("a");
  f.daemon->stop(avc::results::EndReason::signal);
  ck_assert(f.daemon->context().pool().find("a")->state() == avc::participant::TestState::stopped);
  const auto kept = f.daemon->context().history()->report_json("a");
  ck_assert(kept && at(*kept, "reason") == "signal");
}
END_TEST

START_TEST(the_api_describes_itself) {
  Fixture f;
  const Answer api = f.client->call("GET", "/openapi.json");
  avc_assert_text(at(api.body, "openapi"), "3.1.0");
  for (const auto &route : avc::api::routes(f.daemon->context())) {
    std::string method(route.method);
    for (char &c : method) c = g_ascii_tolower(c);
    const auto found = api.body.find("\"" + std::string(route.pattern) + "\":{");
    ck_assert_msg(found != std::string::npos, "%s", std::string(route.pattern).c_str());
    ck_assert_msg(api.body.find("\"" + method + "\":{", found) != std::string::npos, "%s", method.c_str());
  }
  ck_assert_uint_eq(f.client->call("GET", "/readyz").status, 200);
}
END_TEST

START_TEST(the_documentation_names_every_route) {
  Fixture f;
  const auto text = read_text_file(AVC_SOURCE_DIR "/docs/rest-api.md");
  ck_assert(bool(text));
  for (const auto &route : avc::api::routes(f.daemon->context())) {
    const std::string pattern(route.pattern);
    ck_assert_msg(text->find(pattern + "`") != std::string::npos, "%s", pattern.c_str());
  }
}
END_TEST

int main() {
  gst_init(nullptr, nullptr);
  return avc::test::run(
      "daemon", {an_old_clients_calls_work, what_cannot_be_is_refused_with_the_right_status, bad_bodies_name_the_field,
                 a_file_that_is_no_media_fails_the_start_and_not_the_daemon, picture_and_sound_come_from_two_files,
                 the_environments_media_is_played_where_a_test_names_none, a_test_starts_once,
                 bad_spikes_name_the_field, a_spike_happens_is_listed_and_ends_by_itself,
                 a_spike_can_be_cancelled_and_its_id_used_again, a_reduction_says_which_rendition_it_gets,
                 the_daemon_ends_a_test_when_its_time_is_over_and_reports, the_same_seed_gives_the_same_plan,
                 without_a_target_an_old_client_sends_to_5002_and_a_scenario_to_the_embedded_receiver,
                 state_and_samples_come_as_events, only_this_workers_participants_are_made,
                 a_test_that_is_over_leaves_its_port_and_its_log_to_the_next,
                 ending_the_daemon_stops_its_tests_and_keeps_their_results, the_api_describes_itself,
                 the_documentation_names_every_route});
}
