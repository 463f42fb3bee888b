// Files the commands read and write: whole, or not at all.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <string_view>

namespace avc::tools {

// Throws Failure(bad_input) naming the file, or Failure(other) for what cannot be written.
std::string read_file(const std::filesystem::path &path);
std::string read_all(std::istream &in, const std::string &name);               // at most 1 MiB
void write_file(const std::filesystem::path &path, std::string_view content);  // atomic: beside it, then renamed
void make_directory(const std::filesystem::path &path);
void point_link(const std::filesystem::path &link, const std::filesystem::path &target);  // replaces atomically

// A private directory that is gone with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

  const std::filesystem::path &path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::filesystem::path own_directory();  // where the running executable is

}  // namespace avc::tools
