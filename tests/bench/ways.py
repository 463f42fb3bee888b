"""One run of one way to send, for tests/bench/scale.py: each function returns a record of figures.

    bare     (a) the bare loop of bare_gso.hpp, coalesced over participants
    plain    (b) avchaosd without chaos
    chaos    (c) avchaosd with per-packet jitter of 1 to 30 ms, reordering, and 2 % loss in bursts on everything
    stock    (d) rtph264pay ! udpsink a participant, a thread per stream
    encoded  (e) the same with an encoder a participant
    checked  (b) again, before a witness that knows RTP by itself: breaks, malformed packets, start time, REST
    logged   (c) again, with the decision log, compared packet by packet

`seconds` are measured after SETTLE seconds of sending. In bare, plain and chaos up to MOST_APART participants sender
and receiver have a processor each; beyond that the sender's threads have all of them.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import time
from collections import Counter

from processes import (BUILD, MeasuredDaemon, Program, Usage, apart, product_receiver, steal_seconds,
                       witness)

SETTLE = 2
MOST_APART = 1500  # what one sending thread carries
CHAOS = {"delay_ms": 15.5, "jitter_ms": 14.5, "delay_distribution": "uniform", "allow_reordering": True,
         "loss_model": "burst", "loss_percent": 2, "burst_length": 4}
KEPT_UP = 0.95  # share of the packets due that have to come for a sender to keep up


def scenario(link, port, participants, seconds, chaos=False, log=False, contexts=0):
    return {"num_participants": participants, "duration_seconds": seconds, "seed": 1, "renditions": [2500],
            "target": {"transport": "udp", "host": link.host, "port": port},
            **({"network_profile": CHAOS} if chaos else {}), **({"decision_log": True} if log else {}),
            **({"contexts": contexts} if contexts else {})}


def figures(way, link, participants, packets, sender, receiver, last, **more):
    """The part that all records share; `last` is the sender's Usage at the end of the window."""
    return {"way": way, "link": link.name, "participants": participants, "packets": packets,
            "seconds": sender["seconds"], "packets_per_second": packets / sender["seconds"],
            "sender_cores": sender["cpu_seconds"] / sender["seconds"],
            "sender_us": sender["cpu_seconds"] / packets * 1e6 if packets else None,
            "receiver_us": receiver["cpu_seconds"] / packets * 1e6 if packets else None,
            "receiver_cores": receiver["cpu_seconds"] / receiver["seconds"],
            "rss_mib": last.rss_mib, "peak_mib": last.peak_mib, "threads": last.threads, "fds": last.fds, **more}


class Window:
    """The measured time of some processes."""

    def __init__(self, *pids):
        self.pids, self.first, self.steal = pids, [Usage(pid) for pid in pids], steal_seconds()

    def end(self):
        self.last = [Usage(pid) for pid in self.pids]
        self.stolen = steal_seconds() - self.steal
        return [last.since(first) for last, first in zip(self.last, self.first)]


def bare(link, participants, seconds, clip):
    with product_receiver(link) as receiver:
        with Program("bare", host=link.host, port=receiver.port, participants=participants, settle=SETTLE,
                     seconds=seconds, clip=clip["sizes"]) as sender:
            if participants <= MOST_APART:
                apart(sender.pid, receiver.pid)
            time.sleep(SETTLE)
            window = Window(sender.pid, receiver.pid)
            time.sleep(seconds - 0.5)
            used = window.end()
            told = json.loads(sender.line())
        time.sleep(0.5)
        seen = receiver.result()
    share = used[0]["seconds"] / seconds
    record = figures("bare", link, participants, told["packets"] * share, *used, window.last[0],
                     late_ms=told["late_ms"], send_errors=told["send_errors"], kernel_drops=seen["kernel_drops"],
                     lost=told["all_packets"] - told["send_errors"] - seen["packets"], stolen=window.stolen)
    record["sender_us"] = told["cpu_seconds"] / told["packets"] * 1e6  # its own clock is finer
    record["sender_cores"] = told["cpu_seconds"] / seconds
    record["kept_up"] = told["packets"] > KEPT_UP * participants * clip["packets_per_second"] * seconds
    return record


def rate_of(samples):
    """Packets a second that the source made, from the report's samples after the start."""
    steady = [sample for sample in samples if sample["t"] >= 1]
    first, last = steady[0], steady[-1]
    return (last["sent"]["packets"] - first["sent"]["packets"]) / (last["t"] - first["t"])


def daemon(calibration=None):
    """`calibration` is a file with a cost so low that the daemon refuses nobody: how far it goes is the question."""
    environment = {"AVCHAOS_CALIBRATION": str(calibration)} if calibration else {}
    return MeasuredDaemon("--max-participants", "10000", env=environment)


def started(avchaosd, body):
    """Creates and starts a test; its id and the wall clock before both."""
    before = time.time()
    test = avchaosd.post("/api/v1/test/create", body)["test_id"]
    avchaosd.post(f"/api/v1/test/{test}/start")
    return test, before, time.time() - before


def ours(link, participants, seconds, clip, chaos, during=None):
    """`during` is called with the daemon's process id in place of sleeping."""
    with product_receiver(link) as receiver, daemon(clip["calibration"]) as avchaosd:
        body = scenario(link, receiver.port, participants, SETTLE + seconds + 2, chaos)
        test, _, answered = started(avchaosd, body)
        avchaosd.wait_for(test, "running")
        if participants <= MOST_APART:
            apart(avchaosd.process.pid, receiver.pid)
        time.sleep(SETTLE)
        window = Window(avchaosd.process.pid, receiver.pid)
        during(avchaosd.process.pid) if during else time.sleep(seconds)
        used = window.end()
        avchaosd.wait_for(test, "stopped")
        report = avchaosd.get(f"/api/v1/test/{test}/report.json")
        time.sleep(0.5)
        seen = receiver.result()
    sent, generator = report["sent"], report["generator"]
    handed = generator["packets_sent"]  # to the kernel, by the sink's own count
    # Without chaos the sequence numbers say it. With chaos it is the sink's count against the receiver's; the sink's is
    # taken a moment before the last packets leave, so that a few more may have come.
    lost = max(0, handed - generator["send_errors"] - seen["packets"]) if chaos else seen["packets_lost"]
    on_wire = rate_of(report["samples"]) * used[0]["seconds"] * handed / max(sent["packets"], 1)
    return figures("chaos" if chaos else "plain", link, participants, on_wire, *used, window.last[0],
                   late_ms={key: generator.get(f"late_{key}_ms") for key in ("p50", "p99", "max")},
                   late_p99_by_second=[sample["generator"]["second_late_p99_ms"] for sample in report["samples"]],
                   send_errors=generator["send_errors"], kernel_drops=seen["kernel_drops"],
                   lost=lost, taken_by_chaos=sent["lost"],
                   seen={key: seen[key] for key in ("packets", "packets_lost", "packets_reordered",
                                                    "packets_duplicated", "not_rtp", "streams")},
                   mbit=sent["bytes"] * 8 / 1e6 / report["duration_seconds"], answered_seconds=answered,
                   kept_up=on_wire > KEPT_UP * participants * clip["packets_per_second"] * used[0]["seconds"] * 0.98,
                   verdict=report["verdict"], stolen=window.stolen)


def plain(link, participants, seconds, clip):
    return ours(link, participants, seconds, clip, chaos=False)


def chaos(link, participants, seconds, clip):
    return ours(link, participants, seconds, clip, chaos=True)


def rest_latency(avchaosd, test, seconds):
    """How long answers take under load, in ms: status, 100 participants, and Prometheus in turn."""
    paths = [f"/api/v1/test/{test}", f"/api/v1/test/{test}/participants?limit=100", "/metrics"]
    end, took = time.monotonic() + seconds, []
    while time.monotonic() < end:
        begun = time.monotonic()
        avchaosd.get(paths[len(took) % len(paths)])
        took.append((time.monotonic() - begun) * 1000)
        time.sleep(max(0, begun + 0.05 - time.monotonic()))
    took.sort()
    return {"calls": len(took), "p50": took[len(took) // 2], "p99": took[int(len(took) * .99)], "max": took[-1]}


def checked(link, participants, seconds, clip):
    with witness(link) as receiver, daemon(clip["calibration"]) as avchaosd:
        test, before, answered = started(avchaosd, scenario(link, receiver.port, participants, seconds + SETTLE + 1))
        avchaosd.wait_for(test, "running")
        time.sleep(SETTLE)
        rest = rest_latency(avchaosd, test, seconds)
        avchaosd.wait_for(test, "stopped")
        report = avchaosd.get(f"/api/v1/test/{test}/report.json")
        time.sleep(0.5)
        seen = receiver.result()
    seen.pop("moments")
    return {"way": "checked", "link": link.name, "participants": participants, "rest_ms": rest,
            "answered_seconds": answered, "start_seconds": seen.pop("last_first_arrival") - before,
            "complete": seen["streams"] == 2 * participants,
            "lost": seen["missing"],
            **{key: seen[key] for key in ("packets", "breaks", "malformed", "kernel_drops", "late_ms")}}


def cut_at_end(missing, came, late_ms):
    """Of packets that were sent by the log and did not come: those that were still on their way when the test ended,
    that is no older than the longest delay, and the most that anything was late, before the last of their stream."""
    rows, cut = {}, 0
    for ssrc, seq, timestamp in came:
        rows.setdefault(ssrc, {})[seq] = timestamp
    for ssrc, seq in missing:
        arrived = rows.get(ssrc, {})
        before = next((arrived[near] for near in ((seq - back) & 0xFFFF for back in range(200)) if near in arrived), None)
        latest = max(arrived.values(), default=0)
        longest = (CHAOS["delay_ms"] + CHAOS["jitter_ms"] + 1000 / 30 + late_ms) * (48 if ssrc % 2 else 90)
        cut += before is None or latest - before <= longest
    return cut


def logged(link, participants, seconds, clip):
    """Which packets came against which the log says were sent, each by SSRC and sequence number."""
    with tempfile.TemporaryDirectory() as folder, witness(link, f"{folder}/dump") as receiver, daemon() as avchaosd:
        test, report = avchaosd.run(scenario(link, receiver.port, participants, seconds, chaos=True, log=True))
        time.sleep(0.5)
        seen = receiver.result()
        rows = [tuple(map(int, line.split()[1:4])) for line in open(f"{folder}/dump")]
        came = Counter(row[:2] for row in rows)
        decided, lost = Counter(), 0
        for line in open(avchaosd.home / "state" / f"{test}.decisions.jsonl"):
            entry = json.loads(line)
            if not entry["stream"].endswith(("/video", "/audio")):
                continue
            if entry["fate"] == "sent":
                decided[entry["ssrc"], entry["seq"]] += 1
            else:
                lost += 1
    missing = list((decided - came).elements())
    under_way = cut_at_end(missing, rows, report["generator"]["late_max_ms"])
    return {"way": "logged", "link": link.name, "participants": participants, "packets": len(rows),
            "log_sent": sum(decided.values()), "log_lost": lost, "taken_by_chaos": report["sent"]["lost"],
            "under_way_at_end": under_way, "sent_but_missing": len(missing) - under_way,
            "lost_but_there": sum((came - decided).values()), "malformed": seen["malformed"],
            "kernel_drops": seen["kernel_drops"]}


def from_stock(way, link, participants, seconds, clip):
    with witness(link) as receiver:
        before = time.time()
        with Program("stock", way="encode" if way == "encoded" else "payload", clip=clip["file"], host=link.host,
                     port=receiver.port, participants=participants, seconds=seconds + SETTLE + 1) as sender:
            if sender.line().strip() != "started":
                raise RuntimeError("the stock chain did not start")
            begun = time.time()
            time.sleep(SETTLE)
            window = Window(sender.pid, receiver.pid)
            time.sleep(seconds)
            used = window.end()
            sender.process.wait(30)
        seen = receiver.result()
    moments = seen["moments"]
    at = lambda t: min(moments, key=lambda moment: abs(moment[0] - t))
    first, last = at(window.first[1].at), at(window.last[1].at)
    packets = (last[2] - first[2]) / (last[0] - first[0]) * used[1]["seconds"]
    # An encoder of one's own makes about as many packets as the shared clip has, not exactly as many.
    rate = clip["packets_per_second"] * (0.9 if way == "encoded" else 1)
    return figures(way, link, participants, packets, *used, window.last[0], late_ms=seen["late_ms"], send_errors=None,
                   lost=seen["missing"], kernel_drops=seen["kernel_drops"], malformed=seen["malformed"],
                   start_seconds=seen["last_first_arrival"] - before, begun_seconds=begun - before,
                   kept_up=packets > KEPT_UP * participants * rate * used[1]["seconds"], stolen=window.stolen)


def stock(link, participants, seconds, clip):
    return from_stock("stock", link, participants, seconds, clip)


def encoded(link, participants, seconds, clip):
    return from_stock("encoded", link, participants, seconds, clip)


def read_sizes(dump):
    """Payload sizes frame by frame from a witness's dump, without the first and last frame, which may be cut."""
    frames, audio = {}, []
    for line in open(dump):
        _, ssrc, seq, timestamp, _, kind, size = map(int, line.split())
        if kind == 96:
            frames.setdefault(timestamp, []).append(size)
        else:
            audio.append(size)
    return list(frames.values())[1:-1], audio


def record_clip(link, folder):
    """What everybody sends: the sizes of the packets of ten seconds, and the same media as a file."""
    folder = pathlib.Path(folder)
    with witness(link, folder / "dump") as receiver, daemon() as avchaosd:
        _, report = avchaosd.run(scenario(link, receiver.port, 1, 11))
        receiver.result()
    (folder / "calibration").write_text(json.dumps({"machine": report["environment"]["Processor"],
                                                    "seconds_per_packet": {"sender": 1e-6, "receiver": 1e-7}}))
    frames, audio = read_sizes(folder / "dump")
    with open(folder / "sizes", "w") as out:
        out.writelines(f"v {' '.join(map(str, frame))}\n" for frame in frames)
        out.writelines(f"a {size}\n" for size in audio)
    environment = {**os.environ, "GST_PLUGIN_PATH_1_0": str(BUILD / "plugins"), "GST_REGISTRY": str(folder / "registry")}
    subprocess.run(["gst-launch-1.0", "-q", "avchaossrc", "name=s", "renditions=2500", "loop=false", "start-offset-ms=0",
                    "s.video_0", "!", "queue", "!", "h264parse", "!", "matroskamux", "name=m", "!", "filesink",
                    f"location={folder / 'clip.mkv'}", "s.audio_0", "!", "queue", "!", "opusparse", "!", "m."],
                   env=environment, check=True, timeout=120)
    packets = sum(map(len, frames)) / len(frames)
    return {"sizes": folder / "sizes", "file": folder / "clip.mkv", "calibration": folder / "calibration",
            "frames": len(frames), "packets_per_frame": packets,
            "packets_per_second": packets * 30 + 50,
            "mbit": (sum(map(sum, frames)) / len(frames) * 30 + sum(audio) / len(audio) * 50) * 8 / 1e6}
