// Writes a link trace from one of our models, or checks that the files in a folder are what the models give.
//   generate NAME SEED SECONDS > FILE
//   generate --check FOLDER
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "core/net/trace_models.hpp"
#include "core/text.hpp"

using namespace avc;

namespace {

std::string text_of(const net::LinkTrace &trace) {
  std::string text;
  for (const auto ms : trace.times_ms()) text += std::to_string(ms) + "\n";
  return text;
}

int check(const std::string &folder) {
  int wrong = 0;
  for (const auto name : net::built_in_traces()) {
    const std::string path = folder + "/" + std::string(name) + ".trace";
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto read = net::LinkTrace::parse(text);
    if (!read) std::fprintf(stderr, "%s: %s\n", path.c_str(), read.error().message.c_str());
    if (read && text != text_of(*net::built_in_trace(name)))
      std::fprintf(stderr, "%s is not what its model gives with the built-in seed and length\n", path.c_str());
    wrong += text != text_of(*net::built_in_trace(name));
  }
  return wrong ? 1 : 0;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc == 3 && std::string(argv[1]) == "--check") return check(argv[2]);
  const auto seed = argc == 4 ? parse_number(argv[2]) : std::nullopt;
  const auto seconds = argc == 4 ? parse_number(argv[3]) : std::nullopt;
  const bool in_range = seed && seconds && *seed >= 0 && *seed < 9e15 && *seconds >= 1 && *seconds <= 3600;
  const auto trace =
      in_range ? net::make_trace(argv[1], static_cast<std::uint64_t>(*seed), static_cast<std::uint32_t>(*seconds))
               : nullptr;
  if (!trace) {
    std::fputs("usage: generate lte|wifi|tunnel SEED SECONDS (1 to 3600), or generate --check FOLDER\n", stderr);
    return 2;
  }
  std::fputs(text_of(*trace).c_str(), stdout);
  return 0;
}
