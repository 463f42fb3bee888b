// The probe's stream through core's Link: what the kernel's netem is compared with. Jobs come as job.hpp says.
#include <fstream>
#include <iterator>

#include "core/net/link.hpp"
#include "core/net/settings.hpp"
#include "tests/oracle/job.hpp"
#include "tests/oracle/record.hpp"

using namespace avc;

namespace {

constexpr std::uint32_t kMark = 120;  // the bit that a mark changes in the probe's frames

void arrive(oracle::Record &record, std::uint64_t packet, const net::Send &send) {
  record.arrived(send.at, packet, send.ce ? kMark : send.corrupt_bit.value_or(oracle::kNoBit));
  if (send.duplicate) record.arrived(send.duplicate->at, packet, send.duplicate->corrupt_bit.value_or(oracle::kNoBit));
}

// Core takes a table's values where an element takes the file's name.
net::SettingValue value_of(const std::string &name, const std::string &text) {
  if (name != "delay_table") return text;
  std::ifstream file(text);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// An empty text, or what was wrong.
std::string run(const oracle::Job &job) {
  std::map<std::string, net::SettingValue> settings;
  for (const auto &[name, text] : job.settings) settings.emplace(name, value_of(name, text));
  const auto impairment = net::impairment_of(settings);
  if (!impairment) return impairment.error().text();
  net::Link link{Rng(job.seed).split(std::uint64_t{oracle::kParticipant})};
  link.set_base(*impairment, {});
  oracle::Record record{static_cast<std::uint32_t>(job.bytes)};
  for (std::uint64_t n = 0; n < job.packets; ++n) {
    record.sent(job.sent(n));
    const auto verdict =
        link.admit({.stream = net::Stream::video, .n = n, .bytes = job.bytes, .header_bytes = 12}, job.sent(n));
    if (std::holds_alternative<net::Wait>(verdict)) return "netem has no queue that decides late";
    if (const auto *send = std::get_if<net::Send>(&verdict)) arrive(record, n, *send);
  }
  return record.write(job.out) ? "" : "cannot write " + job.out;
}

}  // namespace

int main() {
  oracle::Job job;
  while (oracle::next_job(std::cin, job)) {
    if (const std::string fault = run(job); !fault.empty()) {
      std::cerr << job.out << ": " << fault << '\n';
      return 1;
    }
  }
  return std::cin.eof() ? 0 : 2;
}
