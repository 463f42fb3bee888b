#include "launcher/session/trace_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include "core/net/link_trace.hpp"

namespace avc::session {

Result<std::string> find_trace(const MediaDirectories &directories, const std::string &path) {
  auto real = directories.find(path);
  if (!real) return real;
  std::error_code fault;
  if (std::filesystem::file_size(*real, fault) > kLargestTrace || fault)
    return Error{"", *real + " is larger than " + std::to_string(kLargestTrace >> 20) + " MiB"};
  std::ifstream file(*real, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad() || text.empty()) return Error{"", "cannot read " + *real};
  if (const auto trace = net::LinkTrace::parse(text); !trace)
    return Error{"", *real + " is no link trace: " + trace.error().message};
  return real;
}

json::FindTrace remembering(const MediaDirectories &directories) {
  using Known = std::map<std::string, Result<std::string>>;
  return [&directories, known = std::make_shared<Known>()](const std::string &path) {
    auto place = known->find(path);
    if (place == known->end()) place = known->emplace(path, find_trace(directories, path)).first;
    return place->second;
  };
}

}  // namespace avc::session
