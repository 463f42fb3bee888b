#!/usr/bin/env python3
"""The old spike types against a receiver that was not told: what arrived is what was sent minus the decision log, and
each effect is there while the spike lasts, has the size asked for, and leaves nothing behind."""
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from bed import Daemon, Receiver, by_stream, check, main, unwrap
from media_tools import opus_loudness_db
from runs import FIRST, lateness, media_time, run, spike


def received_is_sent_minus_log(packets, log):
    """Per stream: the log counts 0, 1, 2, … and what it calls sent is exactly what came. Returns lost numbers."""
    lost = {}
    for ssrc, entries in log.items():
        check([e["n"] for e in entries] == list(range(len(entries))), f"the log of {ssrc} has holes")
        sent = [e["seq"] for e in entries if e["fate"] == "sent"]
        came = [p.seq for p in packets[ssrc]]
        # What was decided and had not left yet when the test was stopped is dropped in the sink: a frame at most.
        seen, frame = set(came), 64
        while sent and sent[-1] not in seen and frame > 0:
            sent.pop()
            frame -= 1
        check(sorted(came) == sorted(sent), f"{ssrc}: {len(came)} came, {len(sent)} were logged as sent")
        lost[ssrc] = [e["n"] for e in entries if e["fate"] != "sent"]
    check(set(packets) == set(lost), "a stream is missing from the log or from the wire")
    return lost


def loss_is_exactly_what_was_logged():
    victims = list(range(FIRST, FIRST + 5))
    plan = [spike("rtp_packet_loss", 2, 10, victims, loss_percentage="10")]
    with Daemon() as daemon, ThreadPoolExecutor() as pool:
        runs = [pool.submit(run, daemon, plan, 15, participants=10, seed=seed) for seed in (5, 5, 6)]
        (packets, log, report), (_, again, _), (_, other, _) = [one.result() for one in runs]
    lost = received_is_sent_minus_log(packets, log)
    in_spike = dropped = 0
    for ssrc, stream in packets.items():
        if ssrc // 1000 not in victims:
            check(not lost[ssrc], f"{ssrc} was not addressed and lost {len(lost[ssrc])}")
            continue
        count = len(log[ssrc])
        first, last = count * 2 // 15, count * 12 // 15  # about; the margins are a second
        check(lost[ssrc] and lost[ssrc][0] > first - count // 15 and lost[ssrc][-1] < last + count // 15,
              f"{ssrc} lost packets outside the spike: {lost[ssrc][:1]}..{lost[ssrc][-1:]} of {count}")
        in_spike += lost[ssrc][-1] - lost[ssrc][0] + 1
        dropped += len(lost[ssrc])
    share, sigma = 100 * dropped / in_spike, 100 * (0.1 * 0.9 / in_spike) ** 0.5
    check(abs(share - 10) < 4 * sigma + 0.1, f"{share:.2f} % of {in_spike} lost, 4 sigma is {4 * sigma:.2f}")
    row, = report["spikes"]
    check(abs(row["injected"]["loss_percent"] - share) < 1, f"the report says {row['injected']}")
    fates = [{s: [e["fate"] for e in es][:3000] for s, es in run_log.items()} for run_log in (log, again, other)]
    same = all(a[:n] == b[:n] for s in fates[0] for a, b in [(fates[0][s], fates[1][s])] for n in [min(len(a), len(b))])
    check(same, "the same seed lost other packets")
    check(any(fates[0][s][:1500] != fates[2][s][:1500] for s in fates[0]), "another seed lost the same packets")
    return f"{share:.2f} % of {in_spike} packets lost in the spike"


def bursts_come_in_runs():
    with Daemon() as daemon:
        packets, log, _ = run(daemon, [spike("rtp_packet_loss", 1, 8, loss_percentage=20, pattern="burst")], 10,
                              participants=4)
    lost = received_is_sent_minus_log(packets, log)
    runs = []
    for numbers in lost.values():
        length = 1
        for a, b in zip(numbers, numbers[1:] + [-9]):
            if b == a + 1:
                length += 1
            else:
                runs.append(length)
                length = 1
    # Runs of a simple Gilbert chain are geometric with mean 4: the mean of n runs has deviation sqrt(12/n).
    mean, bound = statistics.mean(runs), 4 * (12 / len(runs)) ** 0.5
    check(abs(mean - 4) < bound, f"mean run {mean:.2f}, wanted 4 within {bound:.2f}")
    return f"{len(runs)} runs, mean {mean:.2f}"


def jitter_has_the_distribution_asked_for():
    with Daemon() as daemon:
        packets, log, _ = run(daemon, [spike("network_jitter", 2, 8, base_latency_ms="60", jitter_std_dev_ms="12",
                                             allow_reordering="true")], 12)
    received_is_sent_minus_log(packets, log)
    told = []
    for ssrc, stream in packets.items():
        late = lateness(stream, 48000 if ssrc % 2 else 90000)
        during = sorted(ms for t, ms in late if 2.2 < t < 8.8)
        outside = sorted(ms for t, ms in late if t < 0.9 or t > 11)
        n = len(during)
        mean, deviation = statistics.mean(during), statistics.stdev(during)
        # 4 standard errors, plus 3 ms for what a busy machine adds
        check(abs(mean - 60) < 4 * 12 / n ** 0.5 + 3, f"{ssrc}: mean {mean:.1f} ms")
        check(abs(deviation - 12) < 4 * 12 / (2 * n) ** 0.5 + 2, f"{ssrc}: deviation {deviation:.1f} ms")
        check(abs(during[int(n * .841)] - during[int(n * .159)] - 24) < 8, f"{ssrc}: not normal")
        check(outside[len(outside) // 2] < 5, f"{ssrc}: {outside[len(outside) // 2]:.1f} ms of delay without a spike")
        told.append(f"{mean:.1f}±{deviation:.1f} ms")
    return ", ".join(told)


def jitter_keeps_order_unless_told_otherwise():
    with Daemon() as daemon:
        packets, log, _ = run(daemon, [spike("network_jitter", 1, 4, base_latency_ms=40, jitter_std_dev_ms=30)], 6)
    received_is_sent_minus_log(packets, log)
    for ssrc, stream in packets.items():
        seqs = unwrap([p.seq for p in stream])
        check(seqs == sorted(seqs), f"{ssrc} was reordered")


def kbps(packets, start, end):
    times = media_time(packets, 90000)
    return sum(8 * len(p.payload) for p, t in zip(packets, times) if start <= t < end) / (end - start) / 1e3


def bitrate_steps_down_and_comes_back():
    replies = []

    def inject(daemon):
        def during(test):
            time.sleep(4)
            replies.append(daemon.post(f"/api/v1/test/{test}/spike", {
                "spike_id": "b", "type": "bitrate_reduce", "participant_ids": [FIRST], "duration_seconds": 6,
                "params": {"new_bitrate_kbps": "700", "transition_seconds": "0"}}))
        return during

    with Daemon() as daemon:
        receiver = Receiver()
        daemon.run({"num_participants": 2, "duration_seconds": 15, "seed": 5, "renditions": [2500, 1200, 600, 300],
                    "target": {"transport": "udp", "host": "127.0.0.1", "port": receiver.port}},
                   during=inject(daemon))
        packets = by_stream(receiver.close())
    victim, bystander = packets[FIRST * 1000], packets[(FIRST + 1) * 1000]
    chosen = replies[0]["rendition_kbps"]
    check(chosen == 600, f"asked for at most 700 kbit/s, was given {chosen}")
    before, low, after = kbps(victim, 0.5, 3.5), kbps(victim, 5.5, 9.5), kbps(victim, 11.5, 14)
    check(abs(low / chosen - 1) < 0.10, f"{low:.0f} kbit/s in the rendition of {chosen}")
    check(low < 0.5 * before and abs(after / before - 1) < 0.15, f"{before:.0f} → {low:.0f} → {after:.0f} kbit/s")
    check(abs(kbps(bystander, 5.5, 9.5) / before - 1) < 0.15, "the other participant changed too")
    return f"{before:.0f} → {low:.0f} → {after:.0f} kbit/s, rendition {chosen}"


def frame_rate_falls_by_the_share_asked_for():
    with Daemon() as daemon:
        packets, log, _ = run(daemon, [spike("frame_drop", 2, 10, [FIRST], drop_percentage=40)], 14)
    received_is_sent_minus_log(packets, log)
    victim = packets[FIRST * 1000]
    seqs = unwrap([p.seq for p in victim])
    check(seqs == list(range(seqs[0], seqs[0] + len(seqs))), "dropped frames left a hole in the sequence numbers")
    times = media_time(victim, 90000)
    rate = lambda a, b: len({t for t in times if a <= t < b}) / (b - a)
    before, low, after = rate(0, 0.9), rate(2.2, 10.8), rate(12.2, 12.9)
    n = before * 8.6
    bound = 4 * (0.4 * 0.6 / n) ** 0.5
    check(abs(low / before - 0.6) < bound + 0.01, f"{before:.1f} → {low:.1f} frames/s; bound {bound:.2f}")
    check(abs(after / before - 1) < 0.1, f"after the spike {after:.1f} frames/s")
    return f"{before:.1f} → {low:.1f} → {after:.1f} frames/s"


def bandwidth_is_capped_and_the_queue_grows_first():
    with Daemon() as daemon:
        packets, log, _ = run(daemon, [spike("bandwidth_limit", 2, 6, [FIRST], bandwidth_kbps=500)], 12)
    lost = received_is_sent_minus_log(packets, log)
    both = sorted((p for s in (0, 1) for p in packets[FIRST * 1000 + s]), key=lambda p: p.at)
    start = both[0].at
    inside = [p for p in both if 2.7 < p.at - start < 6.8]
    rate = sum(8 * (p.size + 28) for p in inside[1:]) / (inside[-1].at - inside[0].at) / 1e3
    check(rate < 500 * 1.03, f"{rate:.0f} kbit/s passed a line of 500")
    check(rate > 500 * 0.9, f"only {rate:.0f} kbit/s used of a line of 500")
    late = lateness(packets[FIRST * 1000], 90000)
    peak = max(ms for t, ms in late if 2 < t < 8)
    check(peak > 100, f"the queue delayed packets by {peak:.0f} ms at most")
    check(any(lost.values()), "an overloaded line lost nothing")
    check(max(ms for t, ms in late if t > 9.5) < 30, "delay stayed after the end")
    check(not any(lost[(FIRST + 1) * 1000 + s] for s in (0, 1)), "the other participant lost packets")
    return f"{rate:.0f} kbit/s, queue delay up to {peak:.0f} ms"


def silence_is_heard():
    with Daemon() as daemon:
        packets, _, _ = run(daemon, [spike("audio_silence", 2, 3, [FIRST])], 7)
    stream = packets[FIRST * 1000 + 1]
    seqs = unwrap([p.seq for p in stream])
    check(seqs == list(range(seqs[0], seqs[0] + len(seqs))), "silence left a hole")
    before, during, after = (opus_loudness_db(stream, a, b) for a, b in ((0.1, 0.9), (2.2, 3.8), (5.2, 5.9)))
    check(during < -60 and before > -40 and after > -40, f"{before:.0f} → {during:.0f} → {after:.0f} dBFS")
    return f"{before:.0f} → {during:.0f} → {after:.0f} dBFS"


main(loss_is_exactly_what_was_logged, bursts_come_in_runs, jitter_has_the_distribution_asked_for,
     jitter_keeps_order_unless_told_otherwise, bitrate_steps_down_and_comes_back,
     frame_rate_falls_by_the_share_asked_for, bandwidth_is_capped_and_the_queue_grows_first, silence_is_heard, at_once=4)
