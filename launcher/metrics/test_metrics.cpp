#include "launcher/metrics/test_metrics.hpp"

#include <array>

#include "launcher/metrics/prometheus.hpp"

namespace avc::metrics {
namespace {

using Type = PrometheusText::Type;

// The old dashboard maps 0, 1 and 2 to words; a test on its way down still runs.
double state_number(TestState state) {
  switch (state) {
    case TestState::created:
      return 0;
    case TestState::running:
    case TestState::stopping:
      return 1;
    case TestState::stopped:
      return 2;
    case TestState::failed:
      return -1;
  }
  return -1;
}

void old_families(PrometheusText &out) {
  out.family("rtp_frames_sent_total", Type::counter, "Video frames sent.");
  out.family("rtp_packets_sent_total", Type::counter, "RTP packets made, those that chaos took included.");
  out.family("rtp_bytes_sent_total", Type::counter, "Bytes of those RTP packets.");
  out.family("rtp_jitter_ms", Type::gauge, "Interarrival jitter (RFC 3550), mean of the participants.");
  out.family("rtp_packet_loss_percent", Type::gauge, "Packets lost in the last second, mean of the participants.");
  out.family("rtp_mos_score", Type::gauge, "Estimated audio quality (E-model), mean of the participants.");
  out.family("rtp_bitrate_kbps", Type::gauge, "RTP bitrate sent in the last second.");
  out.family("rtp_test_state", Type::gauge, "0 created, 1 running, 2 stopped, -1 failed.");
  out.family("rtp_active_participants", Type::gauge, "Participants that are sending.");
  out.family("rtp_test_elapsed_seconds", Type::gauge, "Time since media started, up to the test's end.");
}

void new_families(PrometheusText &out) {
  out.family("av_chaos_monkey_participants", Type::gauge, "Participants that are sending.");
  out.family("av_chaos_monkey_participants_total", Type::counter, "Participants that have joined since the start.");
  out.family("av_chaos_monkey_subscribers", Type::gauge, "Receive-only participants that have begun.");
  out.family("av_chaos_monkey_subscribers_connected", Type::gauge, "Of them, those that are connected.");
  out.family("av_chaos_monkey_frames_sent_total", Type::counter, "Video frames sent.");
  out.family("av_chaos_monkey_packets_sent_total", Type::counter, "RTP packets made, those that chaos took included.");
  out.family("av_chaos_monkey_packets_lost_total", Type::counter, "RTP packets that chaos took on purpose.");
  out.family("av_chaos_monkey_bytes_sent_total", Type::counter, "Bytes of RTP packets made.");
  out.family("av_chaos_monkey_send_errors_total", Type::counter, "Packets that the system refused to send.");
  out.family("av_chaos_monkey_packets_retransmitted_total", Type::counter,
             "RTP packets sent again over WebRTC, those that chaos took included.");
  out.family("av_chaos_monkey_rendition_switches_total", Type::counter,
             "Changes of rendition because of what a path was thought to carry.");
  out.family("av_chaos_monkey_reported_nacks_total", Type::counter, "RTP packets that the far side asked for again.");
  out.family("av_chaos_monkey_reported_keyframe_requests_total", Type::counter,
             "PLI and FIR that came from the far side.");
  out.family("av_chaos_monkey_spikes_active", Type::gauge, "Spikes in force.");
  out.family("av_chaos_monkey_packet_loss_percent", Type::gauge, "Packets lost in the last second.");
  out.family("av_chaos_monkey_jitter_seconds", Type::gauge, "Interarrival jitter (RFC 3550).");
  out.family("av_chaos_monkey_jitter_ms", Type::gauge, "Interarrival jitter in milliseconds (name of the old README).");
  out.family("av_chaos_monkey_mos_score", Type::gauge, "Estimated audio quality (E-model), 1 to 4.5.");
  out.family("av_chaos_monkey_bitrate_bits_per_second", Type::gauge, "RTP bitrate sent in the last second.");
  out.family("av_chaos_monkey_lateness_p99_seconds", Type::gauge,
             "How late the generator itself was, 99th percentile.");
  out.family("av_chaos_monkey_lateness_seconds", Type::histogram,
             "How much later than due the generator served its deadlines.");
  out.family("av_chaos_monkey_test_elapsed_seconds", Type::gauge, "Time since media started, up to the test's end.");
}

void old_samples(PrometheusText &out, const TestNumbers &test, const Labels &labels) {
  out.sample("rtp_frames_sent_total", labels, static_cast<double>(test.frames));
  out.sample("rtp_packets_sent_total", labels, static_cast<double>(test.packets));
  out.sample("rtp_jitter_ms", labels, test.jitter_ms);
  out.sample("rtp_packet_loss_percent", labels, test.loss_percent);
  out.sample("rtp_mos_score", labels, test.mos_score);
  out.sample("rtp_bitrate_kbps", labels, test.bitrate_kbps);
}

void new_samples(PrometheusText &out, const TestNumbers &test, const Labels &labels) {
  const auto put = [&](std::string_view name, double value) {
    out.sample("av_chaos_monkey_" + std::string(name), labels, value);
  };
  put("participants", test.participants);
  put("participants_total", static_cast<double>(test.joined));
  put("subscribers", test.subscribers);
  put("subscribers_connected", test.subscribers_connected);
  put("frames_sent_total", static_cast<double>(test.frames));
  put("packets_sent_total", static_cast<double>(test.packets));
  put("packets_lost_total", static_cast<double>(test.lost));
  put("bytes_sent_total", static_cast<double>(test.bytes));
  put("send_errors_total", static_cast<double>(test.send_errors));
  put("packets_retransmitted_total", static_cast<double>(test.retransmitted));
  put("rendition_switches_total", static_cast<double>(test.rendition_switches));
  put("reported_nacks_total", static_cast<double>(test.reported_nacks));
  put("reported_keyframe_requests_total", static_cast<double>(test.reported_keyframe_requests));
  put("spikes_active", test.spikes_active);
  put("packet_loss_percent", test.loss_percent);
  put("jitter_seconds", test.jitter_ms / 1e3);
  put("jitter_ms", test.jitter_ms);
  put("mos_score", test.mos_score);
  put("bitrate_bits_per_second", test.bitrate_kbps * 1e3);
  put("lateness_p99_seconds", test.late_p99_ms / 1e3);
  put("test_elapsed_seconds", test.elapsed_seconds);
  std::array<double, stats::LateCounts::kUpToUs.size()> ends{};
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = static_cast<double>(stats::LateCounts::kUpToUs[i]) / 1e6;
  out.histogram("av_chaos_monkey_lateness_seconds", labels, ends, test.late_counts.in_class, test.late_sum_ms / 1e3);
}

void process_families(PrometheusText &out) {
  out.family("av_chaos_monkey_rejected_total", Type::counter, "Tests and requests refused for lack of capacity.");
  out.family("av_chaos_monkey_circuit_state", Type::gauge, "New tests are taken: 0 yes, 1 one on trial, 2 no.");
  out.family("av_chaos_monkey_room_packets_per_second", Type::gauge, "RTP packets that more tests could send.");
  out.family("av_chaos_monkey_involuntary_context_switches_total", Type::counter,
             "Times that a thread of this process was taken off a processor.");
  out.family("av_chaos_monkey_machine_steal_seconds_total", Type::counter,
             "Processor time that the hypervisor gave to others, since the machine started.");
  out.family("process_cpu_seconds_total", Type::counter, "Processor time of this process.");
  out.family("process_start_time_seconds", Type::gauge, "Start of this process since the Unix epoch.");
}

void process_samples(PrometheusText &out, const ProcessNumbers &process) {
  const Labels labels{{"partition", std::to_string(process.partition)}};
  out.sample("av_chaos_monkey_rejected_total", labels, static_cast<double>(process.rejected));
  out.sample("av_chaos_monkey_circuit_state", labels, process.circuit);
  out.sample("av_chaos_monkey_room_packets_per_second", labels, process.packets_per_second_room);
  out.sample("av_chaos_monkey_involuntary_context_switches_total", labels,
             static_cast<double>(process.involuntary_switches));
  out.sample("av_chaos_monkey_machine_steal_seconds_total", labels, process.steal_seconds);
  out.sample("process_cpu_seconds_total", {}, process.cpu_seconds);
  out.sample("process_start_time_seconds", {}, process.start_time_seconds);
}

}  // namespace

std::string process_text(const ProcessNumbers &process, std::span<const TestNumbers> tests) {
  PrometheusText out;
  old_families(out);
  new_families(out);
  process_families(out);
  const std::string partition = std::to_string(process.partition);
  for (const TestNumbers &test : tests) {
    const Labels labels{{"test_id", test.test_id}, {"partition", partition}};
    old_samples(out, test, labels);
    out.sample("rtp_bytes_sent_total", labels, static_cast<double>(test.bytes));
    out.sample("rtp_test_state", labels, state_number(test.state));
    out.sample("rtp_active_participants", labels, test.participants);
    new_samples(out, test, labels);
  }
  process_samples(out, process);
  return out.text();
}

std::string test_text(const TestNumbers &test) {
  PrometheusText out;
  old_families(out);
  const Labels aggregate{{"test_id", test.test_id}, {"type", "aggregate"}};
  const Labels plain{{"test_id", test.test_id}};
  old_samples(out, test, aggregate);
  out.sample("rtp_bytes_sent_total", aggregate, static_cast<double>(test.bytes));
  out.sample("rtp_test_state", plain, state_number(test.state));
  out.sample("rtp_test_elapsed_seconds", plain, test.elapsed_seconds);
  for (const ParticipantNumbers &one : test.per_participant) {
    const Labels labels{{"test_id", test.test_id}, {"participant_id", std::to_string(one.id)}};
    out.sample("rtp_frames_sent_total", labels, static_cast<double>(one.frames));
    out.sample("rtp_jitter_ms", labels, one.jitter_ms);
    out.sample("rtp_packet_loss_percent", labels, one.loss_percent);
    out.sample("rtp_mos_score", labels, one.mos_score);
  }
  return out.text();
}

}  // namespace avc::metrics
