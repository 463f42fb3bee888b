// Spikes that act on the link: what each of their parameters sets in net::Impairment.
#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"
#include "core/spike/effect_table.hpp"

namespace avc::spike {
namespace {

constexpr std::array<std::string_view, 2> kPatterns{"random", "burst"};

// Old clients send a port with the three types that once went through tc. Effects are per participant here.
constexpr Rule kPort{
    "port", "", "accepted for old clients, without effect", "0", 0, 65535, {}, [](Effect &, double) {}};

constexpr Rule kLoss[] = {
    {"loss_percentage",
     "percent",
     "share of packets lost, audio and video",
     "5",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.loss_percent = v; }},
    {"pattern", "", "each packet on its own, or in runs", "random", 0, 0, kPatterns,
     [](Effect &e, double v) { e.link.loss_model = v == 0 ? net::LossModel::random : net::LossModel::burst; }},
    {"burst_length",
     "packets",
     "mean length of a run of losses; only with pattern burst",
     "4",
     1,
     1000,
     {},
     [](Effect &e, double v) { e.link.burst_length = v; }},
    kPort,
};

constexpr Rule kJitter[] = {
    {"base_latency_ms",
     "ms",
     "delay of every packet",
     "20",
     0,
     10000,
     {},
     [](Effect &e, double v) { e.link.delay_ms = v; }},
    {"jitter_std_dev_ms",
     "ms",
     "standard deviation of the delay (normal distribution)",
     "50",
     0,
     10000,
     {},
     [](Effect &e, double v) { e.link.jitter_ms = v; }},
    {"allow_reordering", "", "let packets overtake each other", "false", 0, 0, kBools,
     [](Effect &e, double v) { e.link.allow_reordering = v != 0; }},
    kPort,
};

constexpr Rule kBandwidth[] = {
    {"bandwidth_kbps",
     "kbit/s",
     "capacity of each participant's link, with 28 bytes of UDP/IPv4 per packet",
     "1000",
     1,
     1e7,
     {},
     [](Effect &e, double v) { e.link.bandwidth_kbps = v; }},
    {"queue_ms",
     "ms",
     "longest time a packet may queue before it is dropped",
     "200",
     1,
     60000,
     {},
     [](Effect &e, double v) { e.link.queue_ms = v; }},
    kPort,
};

constexpr Rule kDuplicate[] = {
    {"duplicate_percentage",
     "percent",
     "share of packets sent twice",
     "5",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.duplicate_percent = v; }},
    {"correlation",
     "percent",
     "tendency of duplicates to follow one another",
     "0",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.duplicate_correlation = v; }},
};

constexpr Rule kReorder[] = {
    {"reorder_percentage",
     "percent",
     "share of packets sent at once while the others are delayed",
     "25",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.reorder_percent = v; }},
    {"delay_ms", "ms", "delay of the others", "20", 0, 10000, {}, [](Effect &e, double v) { e.link.delay_ms = v; }},
    {"gap",
     "packets",
     "at least this far from one to the next; 0 and 1: no gap",
     "0",
     0,
     100000,
     {},
     [](Effect &e, double v) { e.link.reorder_gap = static_cast<std::uint32_t>(v); }},
    {"correlation",
     "percent",
     "tendency of those chosen to follow one another",
     "0",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.reorder_correlation = v; }},
};

constexpr Rule kCorrupt[] = {
    {"corrupt_percentage",
     "percent",
     "share of packets with one bit changed",
     "1",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.corrupt_percent = v; }},
    {"headers", "", "the bit may lie in the RTP header", "false", 0, 0, kBools,
     [](Effect &e, double v) { e.link.corrupt_headers = v != 0; }},
    {"correlation",
     "percent",
     "tendency of corrupt packets to follow one another",
     "0",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.corrupt_correlation = v; }},
};

constexpr Rule kKeyframeLoss[] = {
    {"loss_percentage",
     "percent",
     "share of the packets of video keyframes lost",
     "100",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.loss_percent = v; }},
};

constexpr Rule kRtcpLoss[] = {
    {"loss_percentage",
     "percent",
     "share of RTCP packets lost",
     "100",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.loss_percent = v; }},
};

const Rule kProfile[] = {
    {"profile", "", "name of the network condition; any setting of a link beside it or in its place", "", 0, 0,
     net::profile_names(),
     [](Effect &e, double v) { e.link = *net::profile(net::profile_names()[static_cast<std::size_t>(v)]); }},
};

constexpr std::array<std::string_view, 3> kDisciplines{"droptail", "drophead", "codel"};

}  // namespace

bool take_trace(Effect &effect, const std::string &text) {
  effect.link.link_trace = net::built_in_trace(text);
  if (effect.link.link_trace) return true;
  if (text.find('/') == text.npos || text.size() > 4096) return false;
  effect.trace_location = text;
  return true;
}

namespace {

constexpr Rule kTrace[] = {
    {"trace", "", "capacity of each participant's link over time", "", 0, 0, {}, nullptr, take_trace},
    {"queue_ms",
     "ms",
     "longest time a packet may queue before it is dropped",
     "200",
     1,
     60000,
     {},
     [](Effect &e, double v) { e.link.queue_ms = v; }},
    {"queue_discipline", "", "which packet is dropped, and when", "droptail", 0, 0, kDisciplines,
     [](Effect &e, double v) { e.link.queue_discipline = static_cast<net::QueueDiscipline>(v); }},
};

constexpr Type kLinkTypes[] = {
    {"rtp_packet_loss", "loses RTP packets", kLoss},
    {"network_jitter", "delays each packet by its own time", kJitter},
    {"bandwidth_limit", "puts a slow line with a queue in front of the receiver", kBandwidth},
    {"packet_duplicate", "sends packets twice", kDuplicate},
    {"packet_reorder", "lets some packets overtake the others", kReorder},
    {"packet_corrupt", "changes one bit of a packet", kCorrupt},
    {"blackout", "loses every packet", {}, [](Effect &e) { e.link.loss_percent = 100; }},
    {"keyframe_loss", "loses packets of video keyframes", kKeyframeLoss,
     [](Effect &e) { e.link.apply_to = net::ApplyTo::keyframes; }},
    {"rtcp_loss", "loses RTCP packets", kRtcpLoss, [](Effect &e) { e.link.apply_to = net::ApplyTo::rtcp; }},
    {"network_profile", "puts a named network condition in front of the receiver", kProfile, nullptr, true},
    {"link_trace", "gives the link a capacity that changes as recorded", kTrace},
};

}  // namespace

std::span<const Type> link_types() { return kLinkTypes; }

}  // namespace avc::spike
