#!/usr/bin/env python3
"""A receiver written from the packet rules alone meets ten participants: ids, SSRCs, payload types, markers, sizes,
sequence numbers, pacing, and the same seed giving the same packets."""
import collections

from bed import AUDIO_PT, VIDEO_PT, Daemon, Receiver, by_stream, check, main, unwrap

PARTICIPANTS = 10


def record(daemon, seed, seconds=4):
    receiver = Receiver()
    daemon.run({"num_participants": PARTICIPANTS, "duration_seconds": seconds, "seed": seed,
                "target": {"transport": "udp", "host": "127.0.0.1", "port": receiver.port}})
    return receiver.close()


def nal_types(payload):
    """The NAL unit types an RTP payload carries (RFC 6184): (types, starts a unit, ends a unit)."""
    kind = payload[0] & 0x1F
    if kind == 28:
        return [payload[1] & 0x1F], bool(payload[1] & 0x80), bool(payload[1] & 0x40)
    if kind == 24:
        types, offset = [], 1
        while offset + 2 < len(payload):
            types.append(payload[offset + 2] & 0x1F)
            offset += 2 + int.from_bytes(payload[offset:offset + 2], "big")
        return types, True, True
    return [kind], True, True


def packets_follow_the_rules():
    with Daemon() as daemon:
        packets = record(daemon, seed=7)
    streams = by_stream(packets)
    ids = range(1001, 1001 + PARTICIPANTS)
    check(set(streams) == {i * 1000 + a for i in ids for a in (0, 1)}, f"SSRCs are {sorted(streams)}")
    check(max(p.size for p in packets) <= 1200, f"a packet has {max(p.size for p in packets)} bytes")
    for ssrc, stream in streams.items():
        audio = ssrc % 1000 == 1
        check({p.participant for p in stream} == {ssrc // 1000}, f"ids on {ssrc}: {({p.participant for p in stream})}")
        check({p.pt for p in stream} == {AUDIO_PT if audio else VIDEO_PT}, f"payload types on {ssrc}")
        seqs = unwrap([p.seq for p in stream])
        check(seqs == list(range(seqs[0], seqs[0] + len(seqs))), f"{ssrc} has a hole or a step back")
        times = unwrap_times([p.timestamp for p in stream])
        if audio:
            steps = {b - a for a, b in zip(times, times[1:])}
            check(steps == {960}, f"audio timestamps step by {steps}")
            check(sum(p.marker for p in stream) <= 1, "audio markers belong to the start of a talk spurt")
        else:
            check_frames(stream, times)
    starts = {s[0].seq for s in streams.values()}
    check(len(starts) > PARTICIPANTS, "initial sequence numbers look alike")
    return f"{len(packets)} packets, {len(streams)} streams"


def unwrap_times(times):
    result, last = [], None
    for t in times:
        last = t if last is None else last + ((t - last + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
        result.append(last)
    return result


def check_frames(stream, times):
    frames = collections.defaultdict(list)
    for packet, t in zip(stream, times):
        frames[t].append(packet)
    check(len(frames) >= 2 * 25, f"only {len(frames)} frames")
    for t, packets in list(frames.items())[:-1]:
        check([p.marker for p in packets] == [False] * (len(packets) - 1) + [True], f"markers of frame {t}")
        inside = False
        for p in packets:
            types, starts, ends = nal_types(p.payload)
            check(starts != inside, "a fragment without its start, or a start inside a unit")
            inside = not ends
            check(all(1 <= k <= 23 for k in types), f"NAL types {types}")
        check(not inside, "a unit without its end")
    first = nal_types(next(iter(frames.values()))[0].payload)[0]
    check(7 in first or 9 in first, f"the first frame begins with NAL types {first}, not with parameter sets")
    steps = collections.Counter(b - a for a, b in zip(sorted(frames), sorted(frames)[1:]))
    check(len(steps) <= 3 and min(steps) > 0, f"frame times step by {dict(steps)}")


def frames_leave_at_their_own_times():
    with Daemon() as daemon:
        packets = record(daemon, seed=8)
    worst = []
    for ssrc, stream in by_stream(packets).items():
        rate = 48000 if ssrc % 1000 == 1 else 90000
        times = unwrap_times([p.timestamp for p in stream])
        offsets = sorted(p.at - t / rate for p, t in zip(stream, times))
        worst.append(offsets[int(len(offsets) * 0.99)] - offsets[len(offsets) // 100])
    worst.sort()
    check(worst[-1] < 0.05, f"arrival minus media time spreads over {worst[-1] * 1e3:.1f} ms")
    return f"1st to 99th percentile of arrival minus media time: median stream {worst[len(worst) // 2] * 1e3:.2f} ms"


def a_seed_repeats_every_byte():
    with Daemon() as daemon:
        runs = [by_stream(record(daemon, seed, seconds=2)) for seed in (11, 11, 12)]
    first = [{ssrc: [p[1:] for p in packets][:40] for ssrc, packets in run.items()} for run in runs]
    check(first[0] == first[1], "the same seed gave other packets")
    check(first[0] != first[2], "another seed gave the same packets")


main(packets_follow_the_rules, a_seed_repeats_every_byte, at_once=2, alone=[frames_leave_at_their_own_times])
