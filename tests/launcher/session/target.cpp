// Where packets may go, and which files may be played.
#include "launcher/session/target.hpp"

#include <filesystem>
#include <fstream>

#include "launcher/session/media_path.hpp"
#include "tests/check.hpp"

using namespace avc::session;
using avc::Result;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("avchaos-media-" + std::to_string(g_random_int()))) {
    fs::create_directories(path / "in" / "deep");
    write("in/clip.mp4", "media");
    write("in/deep/clip.mp4", "media");
    write("in/empty.mp4", "");
    write("secret.mp4", "secret");
    fs::create_symlink(path / "secret.mp4", path / "in" / "link.mp4");
  }
  ~Folder() { fs::remove_all(path); }
  void write(const char *name, const char *text) const { std::ofstream(path / name) << text; }
  std::string in() const { return (path / "in").string(); }

  fs::path path;
};

}  // namespace

START_TEST(without_a_target_the_old_rules_choose) {
  const auto text = [](const TargetEnvironment &environment) {
    const Target target = default_target(environment);
    return target.host + ":" + std::to_string(target.port);
  };
  avc_assert_text(text({}), "127.0.0.1:5002");
  avc_assert_text(text({.host = "relay", .port = 6000}), "relay:6000");
  avc_assert_text(text({.host = "relay"}), "127.0.0.1:5002");
  avc_assert_text(text({.port = 6000}), "127.0.0.1:6000");
  avc_assert_text(text({.port = 6000, .in_kubernetes = true}), "udp-relay:5000");
  avc_assert_text(text({.host = "relay", .port = 6000, .in_kubernetes = true}), "relay:6000");
}
END_TEST

START_TEST(only_loopback_and_private_addresses_are_targets) {
  const TargetPolicy policy;
  for (const char *good :
       {"127.0.0.1", "127.255.0.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::1", "fd00::1"}) {
    ck_assert_msg(bool(policy.admit(good)), "%s", good);
  }
  for (const char *bad : {"8.8.8.8", "172.32.0.1", "169.254.169.254", "0.0.0.0", "255.255.255.255", "224.0.0.1",
                          "::", "2001:db8::1", "fe80::1", "ff02::1", "::ffff:8.8.8.8", "nonsense", ""}) {
    ck_assert_msg(!policy.admit(bad), "%s", bad);
  }
}
END_TEST

START_TEST(ranges_that_were_allowed_are_targets_too) {
  const std::vector<std::string> ranges{"192.0.2.0/24", "198.51.100.7", "2001:db8::/32"};
  const TargetPolicy policy(ranges);
  for (const char *good : {"192.0.2.200", "198.51.100.7", "2001:db8::99", "127.0.0.1"})
    ck_assert(bool(policy.admit(good)));
  for (const char *bad : {"192.0.3.1", "198.51.100.8", "2001:db9::1"}) ck_assert(!policy.admit(bad));
}
END_TEST

START_TEST(names_are_resolved_and_what_has_none_names_its_field) {
  std::string address, field;
  resolve({"localhost", 5000}, [&](Result<std::string> got) { address = got ? *got : got.error().text(); });
  resolve({"no.such.name.invalid", 5000}, [&](Result<std::string> got) { field = got ? *got : got.error().field; });
  while (address.empty() || field.empty()) g_main_context_iteration(nullptr, TRUE);
  ck_assert_msg(address == "127.0.0.1" || address == "::1", "%s", address.c_str());
  avc_assert_text(field, "target.host");
}
END_TEST

START_TEST(media_stays_in_its_directories) {
  const Folder folder;
  const MediaDirectories media({folder.in()});
  avc_assert_text(*media.find("clip.mp4"), fs::canonical(folder.in()).string() + "/clip.mp4");
  ck_assert(bool(media.find(folder.in() + "/deep/../clip.mp4")) && bool(media.find("deep/clip.mp4")));
  for (const std::string &outside :
       {std::string("../secret.mp4"), (folder.path / "secret.mp4").string(), std::string("link.mp4"),
        std::string("/etc/passwd"), std::string("deep/../../secret.mp4"), folder.in() + "x/clip.mp4"}) {
    const auto found = media.find(outside);
    ck_assert_msg(!found && found.error().message.find("not in a media directory") != std::string::npos, "%s: %s",
                  outside.c_str(), found ? "found" : found.error().message.c_str());
  }
}
END_TEST

START_TEST(what_is_wrong_with_a_media_file_is_said) {
  const Folder folder;
  const MediaDirectories media({folder.in()});
  avc_assert_text(media.find("none.mp4").error().message, "there is no file \"none.mp4\"");
  avc_assert_text(media.find("empty.mp4").error().message, "\"empty.mp4\" is empty");
  avc_assert_text(media.find("deep").error().message, "\"deep\" is not a file");
  ck_assert(!MediaDirectories().find("clip.mp4"));
}
END_TEST

START_TEST(the_default_files_bring_their_directories) {
  const Folder folder;
  const MediaDirectories media({}, {"", folder.in() + "/clip.mp4", folder.in() + "/deep/clip.mp4"});
  ck_assert(bool(media.find("deep/clip.mp4")) && bool(media.find("clip.mp4")));
  ck_assert(!media.find((folder.path / "secret.mp4").string()));
}
END_TEST

AVC_TESTS("target", without_a_target_the_old_rules_choose, only_loopback_and_private_addresses_are_targets,
          ranges_that_were_allowed_are_targets_too, names_are_resolved_and_what_has_none_names_its_field,
          media_stays_in_its_directories, what_is_wrong_with_a_media_file_is_said,
          the_default_files_bring_their_directories)
