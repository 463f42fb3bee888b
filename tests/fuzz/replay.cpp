// Runs a fuzz target over every file of a corpus folder, and over every file cut short at each of some places, so
// that the corpus is a test on machines without libFuzzer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

int main(int argc, char **argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]), 2;
  std::vector<std::filesystem::path> paths;
  for (const auto &entry : std::filesystem::directory_iterator(argv[1])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::size_t runs = 0;
  for (const auto &path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 64);
    for (std::size_t size = bytes.size();; size = size > step ? size - step : 0) {
      const std::vector<std::uint8_t> input(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      LLVMFuzzerTestOneInput(input.data(), input.size());
      ++runs;
      if (size == 0) break;
    }
  }
  std::printf("%zu inputs from %zu files\n", runs, paths.size());
  return paths.empty() ? 1 : 0;
}
