// What each model of the link costs: nanoseconds of processor time per packet. Not a test: figures depend on the
// machine. tests/bench/link_costs.py builds for speed, runs this and writes the table into docs/fidelity.md.
//
// A loop of our own and not Google Benchmark: it counts the thread's processor time, so that what else the machine
// does weighs little, and it measures a reference loop (64 steps of splitmix64, one after the other) right before
// each repetition, so that figures from different machines and moments can be compared by their ratio. Of the
// repetitions the median counts. Packets are a video stream's, 1000 bytes each millisecond.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <vector>

#include "core/net/link.hpp"
#include "tests/core/net/models.hpp"

using namespace avc;
using net::Impairment, net::Link;

namespace {

constexpr std::uint64_t kPackets = 200'000;
constexpr std::uint64_t kReferences = 100'000;
constexpr int kRepetitions = 11;

std::uint64_t checksum = 0;  // printed, so that no work is left out

double processor_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double reference_ns() {
  std::uint64_t x = checksum;
  const double begin = processor_ns();
  for (std::uint64_t i = 0; i < kReferences; ++i) {
    for (int step = 0; step < 64; ++step) {
      x += 0x9E3779B97F4A7C15ULL;
      x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
      x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
      x ^= x >> 31;
    }
  }
  const double spent = processor_ns() - begin;
  checksum ^= x;
  return spent / kReferences;
}

double packet_ns(const Impairment &settings, std::uint64_t seed) {
  Link link{Rng(seed)};
  link.set_base(settings, {});
  std::uint64_t sum = 0;
  const double begin = processor_ns();
  for (std::uint64_t n = 0; n < kPackets; ++n) {
    const auto verdict = link.admit({.stream = net::Stream::video,
                                     .n = n,
                                     .bytes = 1000,
                                     .header_bytes = 12,
                                     .rtp_timestamp = static_cast<std::uint32_t>(n / 4 * 3000)},
                                    {Nanos(static_cast<std::int64_t>(n) * 1'000'000)});
    sum += verdict.index();
    if (const auto *wait = std::get_if<net::Wait>(&verdict)) sum += wait->ticket;
    while (const auto fate = link.fate()) sum += fate->ticket;
  }
  const double spent = processor_ns() - begin;
  checksum ^= sum;
  return spent / kPackets;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + kRepetitions / 2, values.end());
  return values[kRepetitions / 2];
}

}  // namespace

int main(int argc, char **argv) {
  const std::string_view only = argc > 1 ? argv[1] : "";  // models whose name has this in it
  auto models = test::every_model();
  models.insert(models.begin(), {"disabled", {}});
  std::vector<double> all_references;
  std::printf("| model | ns per packet | of the reference |\n|---|---|---|\n");
  for (const auto &[name, settings] : models) {
    if (name.find(only) == std::string::npos) continue;
    std::vector<double> packets, references, ratios;
    for (int i = 0; i < kRepetitions; ++i) {
      references.push_back(reference_ns());
      packets.push_back(packet_ns(settings, static_cast<std::uint64_t>(i)));
      ratios.push_back(packets.back() / references.back());
    }
    std::printf("| %s | %.1f | %.2f |\n", name.c_str(), median(packets), median(ratios));
    std::fflush(stdout);
    all_references.insert(all_references.end(), references.begin(), references.end());
  }
  std::sort(all_references.begin(), all_references.end());
  std::printf("| *reference loop* | %.1f | 1 |\n", all_references[all_references.size() / 2]);
  std::printf("\n(checksum %llu)\n", static_cast<unsigned long long>(checksum));
}
