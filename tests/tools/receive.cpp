// The command itself, receiving packets that this test sends: what it prints must be what was sent. A sender report
// comes last; its answer shows that everything before it has been counted.
#include <csignal>
#include <cstdlib>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/rtp/extended_report.hpp"
#include "core/rtp/extension.hpp"
#include "core/rtp/rtcp.hpp"
#include "tests/tools/same.hpp"
#include "tools/common/child.hpp"
#include "tools/common/files.hpp"

using namespace avc;
using namespace avc::tools;
using namespace std::chrono_literals;

namespace {

const char *program() {
  const char *path = std::getenv("AVCHAOS");
  ck_assert_msg(path, "AVCHAOS names the command under test");
  return path;
}

struct Running {
  TemporaryDirectory home;
  Child child;
  explicit Running(std::vector<std::string> arguments) : child(program(), arguments, {}, home.path() / "log") {}

  std::uint16_t port() {
    const auto line = child.read_line(10s);
    ck_assert_msg(line.has_value(), "%s", child.last_words().c_str());
    const auto colon = line->rfind(':');
    ck_assert(colon != std::string::npos);
    return static_cast<std::uint16_t>(std::atoi(line->c_str() + colon + 1));
  }
  // All it says from now on, after being asked to end.
  std::string end() {
    child.end(10s);
    std::string text;
    while (const auto line = child.read_line(1s)) text += *line + "\n";
    return text;
  }
};

class Sender {
 public:
  // Not connected: the answer to a report comes from the port next to the one that is sent to.
  explicit Sender(std::uint16_t port) : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(port);
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  ~Sender() { close(fd_); }
  Sender(const Sender &) = delete;
  Sender &operator=(const Sender &) = delete;

  void rtp(std::uint32_t participant, std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp) {
    std::array<std::uint8_t, 120> packet{};
    const std::uint32_t ssrc = participant * 1000 + (payload_type == 111 ? 1 : 0);
    rtp::write_fixed_header(std::span(packet).first<12>(), {.payload_type = payload_type,
                                                            .marker = payload_type == 96,
                                                            .extension = true,
                                                            .sequence = sequence,
                                                            .timestamp = timestamp,
                                                            .ssrc = ssrc});
    rtp::write_participant_extension(std::span(packet).subspan<12, 8>(), participant);
    packet[20] = 0x41;  // a slice of a picture: one packet, one frame
    send(packet);
  }
  // Until an answer to the sender report comes, or 10 s; answers it.
  std::vector<std::uint8_t> wait_until_counted(std::uint32_t ssrc) {
    std::array<std::uint8_t, 200> report{};
    const auto size = rtp::write_sender_report(report, {.ssrc = ssrc, .ntp = 1}, "test");
    send(std::span(report).first(size));
    pollfd wait{fd_, POLLIN, 0};
    ck_assert_int_eq(poll(&wait, 1, 10000), 1);
    std::vector<std::uint8_t> answer(1500);
    const auto got = recv(fd_, answer.data(), answer.size(), 0);
    answer.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return answer;
  }
  void send(std::span<const std::uint8_t> bytes) {
    const auto *to = reinterpret_cast<const sockaddr *>(&to_);
    ck_assert_int_eq(sendto(fd_, bytes.data(), bytes.size(), 0, to, sizeof to_), static_cast<int>(bytes.size()));
  }

 private:
  int fd_;
  sockaddr_in to_{};
};

void has(const std::string &text, const std::string &part) {
  ck_assert_msg(text.find(part) != std::string::npos, "no \"%s\" in\n%s", part.c_str(), text.c_str());
}

// A receiver report and an extended one, of 40 packets of which four in a row were lost.
void tells_of_four_lost(const std::vector<std::uint8_t> &answer) {
  rtp::RtcpReader packets(answer);
  const auto report = rtp::read_report(*packets.next());
  ck_assert_uint_eq(report->blocks.size(), 1);
  ck_assert_int_eq(report->blocks[0].cumulative_lost, 4);
  ck_assert(packets.next()->kind == rtp::RtcpKind::sdes);
  rtp::ExtendedReportReader blocks(*packets.next());
  const auto summary = *rtp::read_statistics_summary(*blocks.next());
  ck_assert_uint_eq(summary.begin, 0);
  ck_assert_uint_eq(summary.end, 40);
  ck_assert_uint_eq(*summary.lost, 4);
  rtp::LossRlePackets losses(*rtp::read_loss_rle(*blocks.next()));
  while (const auto packet = losses.next())
    ck_assert_int_eq(packet->received, packet->sequence < 10 || packet->sequence >= 14);
}

}  // namespace

START_TEST(what_was_sent_is_what_is_printed) {
  Running receiver({"receive", "--port", "0", "--bind", "127.0.0.1", "--rtcp"});
  Sender sender(receiver.port());
  for (std::uint16_t n = 0; n < 40; ++n)
    if (n < 10 || n >= 14) sender.rtp(1001, 96, n, 3000U * n);  // four lost in a row
  for (std::uint16_t n = 0; n < 20; ++n) sender.rtp(1002, 111, n, 960U * n);
  const std::array<std::uint8_t, 3> noise{1, 2, 3};
  sender.send(noise);
  tells_of_four_lost(sender.wait_until_counted(1001000));
  const std::string text = receiver.end();
  ck_same(receiver.child.how_it_ended(), "exited with 0");
  has(text, "packets         56 (");
  has(text, "video           36 (64.3 %)\n");
  has(text, "audio           20 (35.7 %)\n");
  has(text, "other           0 RTP, 1 RTCP, 1 that are neither\n");
  has(text, "streams         2 (SSRC) of 2 participants\n");
  has(text, "loss            6.67 % (4 packets), 0 duplicates, 0 out of order\n");
  has(text, "kernel drops    0\n");
  has(text, "\n1001              36   10.00 ");
  has(text, "\n1002              20    0.00 ");
}
END_TEST

START_TEST(a_busy_port_is_one_clear_line) {
  Running first({"receive", "0", "--bind", "127.0.0.1"});
  const std::string port = std::to_string(first.port());
  Running second({"receive", port, "--bind", "127.0.0.1"});
  ck_assert(!second.child.read_line(10s));
  second.child.end();
  ck_same(second.child.how_it_ended(), "exited with 106");
  ck_same(second.child.last_words(),
          "\n  avchaos: port: cannot bind UDP 127.0.0.1:" + port + ": Address already in use");
}
END_TEST

START_TEST(it_ends_by_itself_when_told_how_long) {
  Running receiver({"receive", "0", "--bind", "127.0.0.1", "--duration", "200ms", "--json"});
  ck_same(receiver.child.read_line(10s).value_or("-"), "{");
  while (receiver.child.running()) {
  }
  ck_same(receiver.child.how_it_ended(), "exited with 0");
}
END_TEST

START_TEST(bad_arguments_are_named) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"receive", "--prot", "1"}, "avchaos: unexpected argument \"--prot\"; did you mean --port?"},
      {{"recieve"}, "avchaos: unknown command \"recieve\"; did you mean receive?"},
      {{"receive", "--duration", "x", "0"},
       "avchaos: --duration \"x\": expected seconds, or a time such as 90s, 25m, 1h"},
      {{"run", "--particpants=3"}, "avchaos: unexpected argument \"--particpants=3\"; did you mean --participants?"},
      {{"-config", "/nonexistent"}, "avchaos: /nonexistent: No such file or directory"}};
  for (const auto &[arguments, message] : cases) {
    Running command(arguments);
    ck_assert(!command.child.read_line(10s));
    command.child.end();
    ck_same(command.child.how_it_ended(), "exited with 104");
    ck_same(command.child.last_words(), "\n  " + message);
  }
}
END_TEST

AVC_TESTS("tools_receive", what_was_sent_is_what_is_printed, a_busy_port_is_one_clear_line,
          it_ends_by_itself_when_told_how_long, bad_arguments_are_named)
