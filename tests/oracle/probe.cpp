// Runs beside a qdisc on the loopback device: sends numbered frames through it, one every GAP nanoseconds, and writes
// what became of each to a block device (or file), so that nothing has to pass a slow console.
//
//   probe OUT SLOT PACKETS GAP_NS BYTES WAIT_MS [full|ip]
// OUT gets, at SLOT * 16 MiB: "AVCP", u32 version, u32 packets, u32 arrivals, u32 bytes; u64 send times [packets];
// then arrivals in their order, each u64 time, u32 packet, u32 changed bit (counted from the frame's first; kNone).
// Times are nanoseconds of CLOCK_REALTIME, which nobody sets in the guest. With `full` frames are looked at to the
// last bit; else only their first bytes are kept, and no changed bit is seen. `ip` does the same with IPv4 packets that
// may be marked (ECT(0)): a mark is a change of the frame's bit 120. They are for another host, so that nobody answers.
//
// Frames go in and out by AF_PACKET: no IP or UDP checksum may swallow what the qdisc damaged. The kernel stores them
// in a mapped ring, so that nothing is done per arrival while frames are being sent.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace {

constexpr std::uint32_t kNone = 0xffffffff;
constexpr off_t kSlot = 16 << 20;
constexpr unsigned kBlock = 1 << 16;
constexpr std::size_t kNumbers = ETH_HLEN + 20;  // behind an IPv4 header, also where there is none
constexpr int kIgnoreOutgoing = 23;              // PACKET_IGNORE_OUTGOING

struct Arrival {
  std::uint64_t at;
  std::uint32_t packet, bit;
};

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "probe: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

std::uint64_t now() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

void sleep_until(std::uint64_t at) {
  const timespec t{static_cast<time_t>(at / 1'000'000'000), static_cast<long>(at % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

// An IPv4 header that says ECT(0), for a protocol nobody has.
void write_ip_header(std::uint8_t *at, std::size_t bytes) {
  std::memset(at, 0, 20);
  at[0] = 0x45, at[1] = 0x02;
  at[2] = static_cast<std::uint8_t>(bytes >> 8), at[3] = static_cast<std::uint8_t>(bytes);
  at[8] = 64, at[9] = 253;
  at[12] = at[16] = 127, at[15] = at[19] = 1;
  std::uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += static_cast<std::uint32_t>(at[i] << 8 | at[i + 1]);
  sum = ~((sum & 0xffff) + (sum >> 16));
  at[10] = static_cast<std::uint8_t>(sum >> 8), at[11] = static_cast<std::uint8_t>(sum);
}

// Bytes that follow from the number, and the number three times, so that one changed bit does not hide it.
void write_frame(std::vector<std::uint8_t> &frame, std::uint32_t packet, bool ip) {
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<std::uint8_t>(packet * 31 + i);
  std::memset(frame.data(), 0, ETH_HLEN);
  frame[12] = 0x88, frame[13] = 0xb5;  // EtherType for local experiments
  if (ip) {
    frame[0] = 0x02;  // another host's address
    frame[12] = 0x08, frame[13] = 0;
    write_ip_header(&frame[ETH_HLEN], frame.size() - ETH_HLEN);
  }
  for (int copy = 0; copy < 3; ++copy) std::memcpy(&frame[kNumbers + 4 * copy], &packet, 4);
}

std::uint32_t number_in(const std::uint8_t *frame) {
  std::array<std::uint32_t, 3> copies{};
  std::memcpy(copies.data(), frame + kNumbers, 12);
  return (copies[0] & copies[1]) | (copies[1] & copies[2]) | (copies[0] & copies[2]);
}

std::uint32_t changed_bit(const std::vector<std::uint8_t> &sent, const std::uint8_t *got) {
  for (std::size_t i = 0; i < sent.size(); ++i)
    if (const unsigned differ = sent[i] ^ got[i]) return static_cast<std::uint32_t>(i * 8) + __builtin_ctz(differ);
  return kNone;
}

class Ring {
 public:
  Ring(unsigned frames, unsigned frame_bytes) : frame_bytes_(frame_bytes) {
    socket_ = socket(AF_PACKET, SOCK_RAW, 0);
    if (socket_ < 0) fail("socket");
    int version = TPACKET_V2, one = 1;
    const unsigned blocks = frames / (kBlock / frame_bytes) + 1;
    tpacket_req request{kBlock, blocks, frame_bytes, blocks * (kBlock / frame_bytes)};
    frames_ = request.tp_frame_nr;
    if (setsockopt(socket_, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
        setsockopt(socket_, SOL_PACKET, kIgnoreOutgoing, &one, sizeof one) ||
        setsockopt(socket_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request))
      fail("ring");
    const std::size_t size = static_cast<std::size_t>(blocks) * kBlock;
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, socket_, 0);
    if (memory == MAP_FAILED) fail("mmap");
    memory_ = static_cast<std::uint8_t *>(memory);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
    if (bind(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address)) fail("bind");
  }

  int socket_fd() const { return socket_; }

  std::vector<Arrival> arrivals(std::uint32_t bytes, bool full, bool ip, std::uint32_t packets) const {
    std::vector<Arrival> all;
    std::vector<std::uint8_t> sent(bytes);
    for (unsigned i = 0; i < frames_; ++i) {
      const auto *header = reinterpret_cast<const tpacket2_hdr *>(at(i));
      if (!(header->tp_status & TP_STATUS_USER)) break;
      if (header->tp_len != bytes) continue;  // not ours
      const std::uint8_t *frame = at(i) + header->tp_mac;
      const std::uint32_t packet = number_in(frame);
      if (packet >= packets) continue;
      std::uint32_t bit = kNone;
      if (full) {
        if (header->tp_snaplen < bytes) fail("frame does not fit the ring");
        write_frame(sent, packet, ip);
        bit = changed_bit(sent, frame);
      }
      all.push_back({header->tp_sec * 1'000'000'000ULL + header->tp_nsec, packet, bit});
    }
    if (all.size() == frames_) fail("ring too small");
    return all;
  }

 private:
  const std::uint8_t *at(unsigned i) const {
    const unsigned per_block = kBlock / frame_bytes_;
    return memory_ + static_cast<std::size_t>(i / per_block) * kBlock + i % per_block * frame_bytes_;
  }

  int socket_ = -1;
  unsigned frame_bytes_, frames_ = 0;
  std::uint8_t *memory_ = nullptr;
};

void put(int file, const void *data, std::size_t size) {
  const auto *from = static_cast<const char *>(data);
  while (size > 0) {
    const ssize_t written = write(file, from, size);
    if (written <= 0) fail("write");
    from += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const auto packets = static_cast<std::uint32_t>(number(3)), bytes = static_cast<std::uint32_t>(number(5));
  const std::uint64_t gap = number(4);
  const bool full = argc > 7, ip = full && std::strcmp(argv[7], "ip") == 0;
  prctl(PR_SET_TIMERSLACK, 1);
  const Ring ring(packets + packets / 2 + 1000, full ? 512 : 128);
  const int out = socket(AF_PACKET, SOCK_RAW, 0), most = 1 << 29;
  setsockopt(out, SOL_SOCKET, SO_SNDBUFFORCE, &most, sizeof most);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex("lo"));

  std::vector<std::uint64_t> sent(packets);
  std::vector<std::uint8_t> frame(bytes);
  const std::uint64_t start = now() + 1'000'000;
  for (std::uint32_t i = 0; i < packets; ++i) {
    write_frame(frame, i, ip);
    if (gap > 0) sleep_until(start + i * gap);
    sent[i] = now();
    // A qdisc that drops may say so (ENOBUFS); that is its answer, not a fault.
    sendto(out, frame.data(), bytes, 0, reinterpret_cast<sockaddr *>(&to), sizeof to);
  }
  sleep_until(now() + number(6) * 1'000'000);

  const auto arrivals = ring.arrivals(bytes, full, ip, packets);
  const int file = open(argv[1], O_WRONLY | O_CREAT, 0644);
  if (file < 0 || lseek(file, static_cast<off_t>(number(2)) * kSlot, SEEK_SET) < 0) fail(argv[1]);
  const std::uint32_t header[] = {0x50435641, 1, packets, static_cast<std::uint32_t>(arrivals.size()), bytes};
  put(file, header, sizeof header);
  put(file, sent.data(), sent.size() * sizeof sent[0]);
  put(file, arrivals.data(), arrivals.size() * sizeof arrivals[0]);
  if (fsync(file)) fail("fsync");
}
