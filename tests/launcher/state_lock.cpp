#include "launcher/state_lock.hpp"

#include <filesystem>
#include <optional>
#include <string>

#include <unistd.h>

#include "tests/check.hpp"

using avc::launcher::StateLock;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("avchaosd-lock-" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

START_TEST(a_directory_has_one_owner_at_a_time) {
  const Folder folder;
  auto first = StateLock::take(folder.path.string());
  ck_assert(static_cast<bool>(first));
  std::optional<StateLock> held(std::move(*first));  // moving it lets go of nothing
  const auto second = StateLock::take(folder.path.string());
  ck_assert(!second);
  avc_assert_text(second.error().field, "--state-dir");
  ck_assert(second.error().message.find(folder.path.string() + " is in use by another avchaosd") == 0);
  held.reset();
  ck_assert(static_cast<bool>(StateLock::take(folder.path.string())));
}
END_TEST

START_TEST(a_lock_that_cannot_be_made_names_its_file) {
  const Folder folder;
  const auto none = StateLock::take((folder.path / "missing").string());
  ck_assert(!none);
  ck_assert(none.error().message.find("missing/lock: ") != std::string::npos);
  fs::create_symlink("/etc/passwd", folder.path / "lock");
  ck_assert(!StateLock::take(folder.path.string()));
}
END_TEST

AVC_TESTS("state_lock", a_directory_has_one_owner_at_a_time, a_lock_that_cannot_be_made_names_its_file)
