#include "tools/common/files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <stdlib.h>
#include <unistd.h>

#include "tools/common/exit_code.hpp"

namespace avc::tools {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void cannot_write(const fs::path &path, const std::string &why) {
  throw Failure(Exit::other, "cannot write " + path.string() + ": " + why);
}

fs::path beside(const fs::path &path) {
  return path.parent_path() / ("." + path.filename().string() + "." + std::to_string(getpid()));
}

}  // namespace

std::string read_file(const fs::path &path) {
  std::error_code fault;
  if (fs::is_directory(path, fault)) throw Failure(Exit::bad_input, path.string() + ": is a directory");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Failure(Exit::bad_input, path.string() + ": " + std::strerror(errno));
  return read_all(in, path.string());
}

std::string read_all(std::istream &in, const std::string &name) {
  constexpr std::streamsize kMost = 1 << 20;  // what the daemon takes as a body; a device has no end
  std::string text(kMost + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) throw Failure(Exit::bad_input, name + ": cannot be read");
  if (in.gcount() > kMost) throw Failure(Exit::bad_input, name + ": is larger than 1 MiB");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

void write_file(const fs::path &path, std::string_view content) {
  const fs::path fresh = beside(path);
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.flush();
    if (!out) cannot_write(path, std::strerror(errno));
  }
  std::error_code fault;
  fs::rename(fresh, path, fault);
  if (fault) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
    cannot_write(path, fault.message());
  }
}

void make_directory(const fs::path &path) {
  std::error_code fault;
  fs::create_directories(path, fault);
  if (fault) cannot_write(path, fault.message());
}

void point_link(const fs::path &link, const fs::path &target) {
  const fs::path fresh = beside(link);
  std::error_code fault;
  fs::remove(fresh, fault);
  fs::create_directory_symlink(target, fresh, fault);
  if (!fault) fs::rename(fresh, link, fault);
  if (fault) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
    cannot_write(link, fault.message());
  }
}

TemporaryDirectory::TemporaryDirectory() {
  std::error_code fault;
  std::string name = (fs::temp_directory_path(fault) / "avchaos-XXXXXX").string();
  if (fault || !mkdtemp(name.data())) cannot_write(name, fault ? fault.message() : std::strerror(errno));
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path own_directory() {
  std::error_code fault;
  const fs::path self = fs::read_symlink("/proc/self/exe", fault);
  return fault ? fs::path(".") : self.parent_path();
}

}  // namespace avc::tools
