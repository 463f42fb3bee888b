"""What the tests of spikes share: a run with a plan and its decision log, and media time read off RTP timestamps."""
import json

from bed import Receiver, by_stream

FIRST = 1001


def run(daemon, spikes, seconds, participants=2, seed=5, **more):
    """(packets by SSRC, decision log by SSRC, report) of one test with a spike plan."""
    receiver = Receiver()
    test, report = daemon.run({
        "num_participants": participants, "duration_seconds": seconds, "seed": seed, "decision_log": True,
        "spike_distribution": {"strategy": "legacy"}, "spikes": spikes,
        "target": {"transport": "udp", "host": "127.0.0.1", "port": receiver.port}, **more})
    packets = by_stream(receiver.close())
    log = {}
    for line in (daemon.home / "state" / f"{test}.decisions.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if not entry["stream"].endswith("/rtcp"):  # reports share the SSRC of their stream
            log.setdefault(entry["ssrc"], []).append(entry)
    for entries in log.values():
        entries.sort(key=lambda e: e["n"])
    return packets, log, report


def spike(kind, start, duration, ids=(), **params):
    return {"spike_id": f"{kind}-1", "type": kind, "participant_ids": list(ids), "start_offset_seconds": start,
            "duration_seconds": duration, "params": params}


def media_time(packets, rate):
    """Seconds of media since the stream's first packet, for each packet in order of arrival. A stream begins up to a
    second after the test (participants do not send in step), so windows below keep a second from a spike's edges."""
    ticks = unwrap32([p.timestamp for p in packets])
    return [(t - ticks[0]) / rate for t in ticks]


def unwrap32(values):
    result, last = [], None
    for v in values:
        last = v if last is None else last + ((v - last + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
        result.append(last)
    return result


def lateness(packets, rate):
    """Arrival minus media time in ms, its minimum taken as 0, with the media time of each packet."""
    times = media_time(packets, rate)
    raw = [p.at - t for p, t in zip(packets, times)]
    base = min(raw)
    return [(t, (r - base) * 1e3) for t, r in zip(times, raw)]
