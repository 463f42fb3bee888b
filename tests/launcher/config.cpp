#include "launcher/config.hpp"

#include <map>

#include "tests/check.hpp"

using namespace avc::launcher;
using avc::Error;
using avc::Result;

namespace {

using Texts = std::map<std::string, std::string>;

std::variant<Config, std::vector<Error>> load(std::vector<std::string> arguments, Texts environment = {},
                                              Texts files = {}) {
  return load_config(
      arguments,
      [&](const char *name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
      },
      [&](const std::string &path) -> Result<std::string> {
        const auto found = files.find(path);
        if (found == files.end()) return Error{"", "cannot read " + path};
        return found->second;
      });
}

Config good(std::vector<std::string> arguments, Texts environment = {}, Texts files = {}) {
  auto loaded = load(std::move(arguments), std::move(environment), std::move(files));
  if (auto *errors = std::get_if<1>(&loaded)) ck_abort_msg("%s", errors->front().text().c_str());
  return std::get<0>(loaded);
}

std::string faults(std::vector<std::string> arguments, Texts environment = {}, Texts files = {}) {
  auto loaded = load(std::move(arguments), std::move(environment), std::move(files));
  std::string fields;
  if (auto *errors = std::get_if<1>(&loaded)) {
    for (const Error &error : *errors) fields += (fields.empty() ? "" : " ") + error.field;
  }
  return fields;
}

}  // namespace

START_TEST(nothing_said_is_loopback_and_8080) {
  const Config config = good({}, {{"HOME", "/home/u"}});
  avc_assert_text(config.listen_host, "127.0.0.1");
  ck_assert_uint_eq(config.listen_port, 8080);
  avc_assert_text(config.state_dir, "/home/u/.local/state/gst-avchaos");
  ck_assert_uint_eq(config.partitions, 1);
}
END_TEST

START_TEST(a_flag_is_stronger_than_the_environment_and_that_than_the_file) {
  const Texts file{{"c.json", R"({"listen": "127.0.0.1:1", "state_dir": "/file", "max-participants": 7})"}};
  const Texts environment{{"AVCHAOS_LISTEN", "127.0.0.1:2"}, {"AVCHAOS_STATE_DIR", "/environment"}};
  const Config config = good({"--config", "c.json", "--listen=127.0.0.1:3"}, environment, file);
  ck_assert_uint_eq(config.listen_port, 3);
  avc_assert_text(config.state_dir, "/environment");
  ck_assert_uint_eq(config.max_participants, 7);
}
END_TEST

START_TEST(all_faults_are_said_at_once) {
  avc_assert_text(faults({"--listen", "nowhere", "--max-participants", "0", "--allow-target", "300.0.0.0/8", "--colour",
                          "stray", "--token-file", "none", "--media-dir", "/no/such/dir"},
                         {{"PARTITION_ID", "-1"}, {"UDP_TARGET_PORT", "70000"}}),
                  "--colour stray --listen --media-dir --token-file --allow-target --max-participants PARTITION_ID "
                  "UDP_TARGET_PORT");
  avc_assert_text(faults({"--state-dir"}), "--state-dir");
  avc_assert_text(faults({"--config", "c"}, {}, {{"c", R"({"listn": 1, "contexts": 2.5})"}}), "c: contexts c: listn");
  avc_assert_text(faults({"--config", "none"}), "--config");
  avc_assert_text(faults({"--config", "c"}, {}, {{"c", "{\"listen\":"}}), "c");
}
END_TEST

START_TEST(beyond_loopback_needs_a_token_or_a_clear_word) {
  for (const char *open : {"0.0.0.0:80", ":8080", "*:8080", "[::]:8080", "192.168.1.5:8080", "example.org:80"}) {
    avc_assert_text(faults({"--listen", open}), "--listen");
    avc_assert_text(faults({"--listen", open}, {{"AVCHAOS_TOKEN", "t"}}), "");
    avc_assert_text(faults({"--listen", open}, {{"AVCHAOS_ALLOW_ANONYMOUS", "1"}}), "");
    avc_assert_text(faults({"--listen", open}, {{"AVCHAOS_ALLOW_ANONYMOUS", "0"}}), "--listen");
  }
  avc_assert_text(faults({"--rtsp", "0.0.0.0:8554"}), "--rtsp");
  avc_assert_text(faults({"--rtsp", "0.0.0.0:8554"}, {{"AVCHAOS_TOKEN", "t"}}), "");
  for (const char *closed : {"127.0.0.1:0", "localhost:1", "[::1]:8080", "127.9.9.9:1"}) {
    avc_assert_text(faults({"--listen", closed}), "");
  }
}
END_TEST

START_TEST(rtsp_is_off_unless_it_is_asked_for) {
  ck_assert(!good({}).rtsp);
  const Config config = good({"--rtsp", "[::1]:8554"});
  avc_assert_text(config.rtsp->host, "::1");
  ck_assert_uint_eq(config.rtsp->port, 8554);
  avc_assert_text(faults({"--rtsp", "8554"}), "--rtsp");
  avc_assert_text(faults({}, {{"AVCHAOS_RTSP", "localhost:99999"}}), "AVCHAOS_RTSP");
}
END_TEST

START_TEST(the_old_http_flag_is_understood) {
  const Config config = good({"-http", ":9090"}, {{"AVCHAOS_ALLOW_ANONYMOUS", "1"}});
  avc_assert_text(config.listen_host, "");
  ck_assert_uint_eq(config.listen_port, 9090);
}
END_TEST

START_TEST(a_token_file_is_read_without_the_space_around_it) {
  avc_assert_text(good({"--token-file", "t"}, {}, {{"t", "  s3cret\n"}}).token, "s3cret");
  avc_assert_text(faults({"--token-file", "t"}, {}, {{"t", "\n"}}), "--token-file");
}
END_TEST

START_TEST(a_token_is_one_word_that_fits_a_header) {
  for (const std::string &bad : {std::string(" \n"), std::string("two words"), std::string("a\nb"), std::string("\xff"),
                                 std::string(5000, 'x')}) {
    avc_assert_text(faults({"--token-file", "t"}, {}, {{"t", bad}}), "--token-file");
    avc_assert_text(faults({}, {{"AVCHAOS_TOKEN", bad}}), "AVCHAOS_TOKEN");
  }
  avc_assert_text(good({"--token-file", "t"}, {}, {{"t", " secret\n"}}).token, "secret");
  ck_assert(!read_text_file("/"));
  ck_assert(!read_text_file("/dev/zero"));
  ck_assert(read_text_file("/dev/null"));
}
END_TEST

START_TEST(default_media_that_is_not_there_is_a_warning) {
  ck_assert_uint_eq(good({}, {{"MEDIA_PATH", "/no/such/file.mp4"}}).warnings.size(), 1);
}
END_TEST

START_TEST(lists_add_up) {
  const Config config = good({"--allow-target", "192.0.2.0/24", "--allow-target", "2001:db8::/32"});
  ck_assert_uint_eq(config.allow_targets.size(), 2);
  ck_assert_uint_eq(good({}, {{"AVCHAOS_ALLOW_TARGET", "192.0.2.0/24,198.51.100.7"}}).allow_targets.size(), 2);
  ck_assert_uint_eq(good({"--ice-address", "10.0.0.1", "--ice-address", "::1"}).ice_addresses.size(), 2);
  ck_assert_uint_eq(good({}, {{"AVCHAOS_ICE_ADDRESS", "10.0.0.1,10.0.0.2"}}).ice_addresses.size(), 2);
}
END_TEST

START_TEST(a_turn_server_comes_from_the_environment) {
  const Config config =
      good({"--ice-policy", "relay"}, {{"TURN_HOST", "coturn"}, {"TURN_USERNAME", "me"}, {"TURN_REPLICAS", "3"}});
  ck_assert(config.ice_relay_only);
  avc_assert_text(config.turn_host + " " + config.turn_username + " " + config.turn_password, "coturn me webrtc123");
  ck_assert_uint_eq(config.turn_replicas, 3);
  ck_assert(good({}).turn_host.empty());
  ck_assert(faults({"--ice-policy", "relay"}).find("--ice-policy") != std::string::npos);
  ck_assert(faults({"--ice-policy", "some"}).find("--ice-policy") != std::string::npos);
  ck_assert(faults({"--ice-address", "here"}).find("--ice-address") != std::string::npos);
}
END_TEST

START_TEST(the_old_environment_is_understood) {
  const Config config = good({}, {{"PARTITION_ID", "2"},
                                  {"TOTAL_PARTITIONS", "3"},
                                  {"MEDIA_PATH", "/m/a.mp4"},
                                  {"MEDIA_VIDEO_PATH", "/m/b.h264"},
                                  {"MEDIA_AUDIO_PATH", "/m/c.opus"},
                                  {"UDP_TARGET_HOST", "relay"},
                                  {"UDP_TARGET_PORT", "5000"},
                                  {"KUBERNETES_SERVICE_HOST", "10.96.0.1"}});
  ck_assert(config.partition == 2 && config.partitions == 3 && config.in_kubernetes);
  ck_assert(config.media_video_path == "/m/b.h264" && config.media_audio_path == "/m/c.opus");
  ck_assert(config.media_path == "/m/a.mp4" && config.udp_target_host == "relay" && config.udp_target_port == 5000);
  avc_assert_text(faults({}, {{"PARTITION_ID", "3"}, {"TOTAL_PARTITIONS", "3"}}), "PARTITION_ID");
  ck_assert_uint_eq(good({}, {{"UDP_TARGET_HOST", "relay"}}).warnings.size(), 1);
}
END_TEST

START_TEST(profiles_come_by_flag_environment_or_file) {
  const Texts file{{"c.json", R"({"profiles": "from-file.json"})"}}, environment{{"AVCHAOS_PROFILES", "from-env.json"}};
  avc_assert_text(good({"--config", "c.json"}, {}, file).profiles, "from-file.json");
  avc_assert_text(good({"--config", "c.json"}, environment, file).profiles, "from-env.json");
  avc_assert_text(good({"--profiles", "from-flag.json"}, environment).profiles, "from-flag.json");
}
END_TEST

START_TEST(every_flag_is_in_the_help) {
  const std::string help = usage();
  for (const char *flag : {"--listen", "--state-dir", "--media-dir", "--token-file", "--allow-target",
                           "--max-participants", "--profiles", "--config", "AVCHAOS_TOKEN", "UDP_TARGET_HOST"}) {
    ck_assert_msg(help.find(flag) != std::string::npos, "%s", flag);
  }
  ck_assert(good({"--help", "--listen", "0.0.0.0:1"}).show_help && good({"--version"}).show_version);
}
END_TEST

AVC_TESTS("config", nothing_said_is_loopback_and_8080, a_flag_is_stronger_than_the_environment_and_that_than_the_file,
          all_faults_are_said_at_once, beyond_loopback_needs_a_token_or_a_clear_word, the_old_http_flag_is_understood,
          a_token_file_is_read_without_the_space_around_it, lists_add_up, a_token_is_one_word_that_fits_a_header,
          default_media_that_is_not_there_is_a_warning, the_old_environment_is_understood,
          profiles_come_by_flag_environment_or_file, rtsp_is_off_unless_it_is_asked_for,
          a_turn_server_comes_from_the_environment, every_flag_is_in_the_help)
