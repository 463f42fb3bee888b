#!/usr/bin/env python3
"""What numbers of participants cost, in several ways to send (tests/bench/ways.py) that take turns on one machine.

    scripts/bench                                        everything, about 40 minutes on an idle machine
    scripts/bench --participants 1500 --seconds 5 --rounds 1 --link loopback
    scripts/bench --profile                              also where the time of (c) goes (needs perf)

Figures go to a JSON file; tests/bench/scale_report.py makes the tables of docs/performance.md and the plots from it.
Traffic stays on loopback, or between two network namespaces that are made for it (root) and taken away afterwards.
"""
import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import namespaces  # noqa: E402
import ways  # noqa: E402
from processes import BUILD  # noqa: E402
from profile_chaos import profile  # noqa: E402

SIZES = [10, 100, 500, 1000, 1500, 3000, 4000]
ENCODER_SIZES = [5, 10, 25, 50]  # as far as encoders of their own may go on a machine of a few processors
MOST_STOCK = 500
MOST_LOGGED = 100  # the log of more would be what is measured
VETH_SIZES = [100, 1500, 4000]
GOAL_SIZE, GOAL_ROUNDS, GOAL_SECONDS = 1500, 5, 20  # what the goals ask for


class Link(NamedTuple):
    name: str
    host: str
    receiver_prefix: list


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    version = subprocess.run(["gst-launch-1.0", "--version"], capture_output=True, text=True).stdout.split()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            cwd=pathlib.Path(__file__).parent).stdout.strip()
    options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", BUILD], capture_output=True,
                                        text=True).stdout or "[]")
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release(),
            "gstreamer": version[version.index("GStreamer") + 1] if "GStreamer" in version else "?", "commit": commit,
            "build": next((o["value"] for o in options if o["name"] == "buildtype"), "?"),
            "load_average": os.getloadavg()[0], "at": time.strftime("%Y-%m-%d %H:%M")}


def late_while_measured(record):
    """The whole run's lateness has its start in it; these are seconds of the measured time."""
    seconds = sorted(record.get("late_p99_by_second", [])[ways.SETTLE:-1])
    return f", by second p99 {seconds[len(seconds) // 2]:.2f}, worst {seconds[-1]:.2f} ms" if seconds else ""


def say(record, round_number):
    us = record.get("sender_us")
    late = record.get("late_ms") or {}
    print(f"{record['link']:8} {record['participants']:5} {record['way']:8} round {round_number + 1}: " +
          (f"{us:.3f} us/packet, {record['sender_cores']:.3f} cores, receiver {record['receiver_us']:.3f} us, "
           if us else "") +
          f"late p99 {late.get('p99')} ms, max {late.get('max')} ms" + late_while_measured(record) +
          "".join(f", {key} {record[key]}" for key in ("lost", "send_errors", "kernel_drops", "breaks", "malformed",
                                                       "sent_but_missing", "lost_but_there", "start_seconds")
                  if record.get(key)) +
          (f", {record['rss_mib']:.0f} MiB, {record['threads']} threads, {record['fds']} fds" if us else "") +
          ("" if record.get("kept_up", True) else ", DID NOT KEEP UP"), flush=True)


class Bench:
    def __init__(self, link, clip, asked, records):
        self.link, self.clip, self.asked, self.records = link, clip, asked, records
        self.given_up = set()  # ways that did not keep up with fewer participants

    def run(self, way, participants, seconds, number):
        if way in self.given_up or (self.asked.ways and way not in self.asked.ways):
            return
        try:
            record = getattr(ways, way)(self.link, participants, seconds, self.clip)
        except Exception as failure:  # what one way cannot do must not cost the figures of the others
            traceback.print_exc()
            record = {"way": way, "link": self.link.name, "participants": participants, "failed": str(failure)}
            self.records.append(record)
            return
        record["round"] = number
        self.records.append(record)
        say(record, number)
        if way in ("stock", "encoded") and not record["kept_up"]:
            self.given_up.add(way)

    def size(self, participants):
        asked = self.asked
        goal = participants == GOAL_SIZE and not asked.quick
        rounds = max(asked.rounds, GOAL_ROUNDS) if goal else asked.rounds
        seconds = max(asked.seconds, GOAL_SECONDS) if goal else asked.seconds
        for number in range(rounds):
            for way in ("bare", "plain", "chaos"):
                self.run(way, participants, seconds, number)
            if self.link.name == "loopback" and participants <= MOST_STOCK:
                self.run("stock", participants, seconds, number)
        self.run("checked", participants, 3, 0)
        if participants <= MOST_LOGGED:
            self.run("logged", participants, 6, 0)

    def encoders(self):
        for participants in ENCODER_SIZES:
            self.run("plain", participants, self.asked.seconds, 0)
            self.run("encoded", participants, self.asked.seconds, 0)


def over_veth(arguments, asked, records):
    """Runs this script again inside a namespace, and takes in what it found."""
    reason = namespaces.why_not()
    if reason:
        print(f"veth: skipped, {reason}", flush=True)
        return reason
    with namespaces.VethPair() as pair, tempfile.TemporaryDirectory() as folder:
        subprocess.run([*namespaces.inside(pair.sender), sys.executable, __file__, *arguments, "--link", "veth",
                        "--inside", pair.receiver, "--host", pair.address, "--output", f"{folder}/veth.json"],
                       check=True)
        records += json.loads(pathlib.Path(folder, "veth.json").read_text())["records"]
    return None


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(number) for number in text.split(",")]
    parser.add_argument("--participants", type=numbers, default=SIZES, help="such as 10,100,1500")
    parser.add_argument("--seconds", type=float, default=10, help="measured in each run (1 to 25)")
    parser.add_argument("--rounds", type=int, default=3, help="each way at each size (1 to 9)")
    parser.add_argument("--quick", action="store_true",
                        help=f"{GOAL_SIZE} participants as all others, not {GOAL_ROUNDS} rounds of {GOAL_SECONDS} s")
    parser.add_argument("--link", choices=["loopback", "veth", "both"], default="both")
    parser.add_argument("--ways", type=lambda text: text.split(","), help="some of bare,plain,chaos,stock,encoded,"
                        "checked,logged; not given: all")
    parser.add_argument("--profile", action="store_true", help=f"profile (c) with {GOAL_SIZE} participants")
    parser.add_argument("--output", default=BUILD / "bench" / "scale.json", type=pathlib.Path)
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # namespace of the receivers: we are in the senders'
    parser.add_argument("--host", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    asked.seconds, asked.rounds = min(max(asked.seconds, 1), 25), min(max(asked.rounds, 1), 9)
    asked.participants = [min(max(number, 1), 4000) for number in asked.participants]
    return asked


def save(result, asked):
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(result, indent=1) + "\n")


def main(arguments):
    asked = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with statements take away what they made
    started, records = time.monotonic(), []
    result = {"machine": machine(), "records": records}
    if asked.link != "veth" or asked.inside:
        link = Link("veth", asked.host, namespaces.inside(asked.inside)) if asked.inside else \
            Link("loopback", "127.0.0.1", [])
        with tempfile.TemporaryDirectory() as folder:
            clip = ways.record_clip(link, folder)
            print(f"clip: {clip['packets_per_second']:.1f} packets/s and {clip['mbit']:.2f} Mbit/s a participant")
            result["clip"] = {key: value for key, value in clip.items() if not isinstance(value, pathlib.Path)}
            bench = Bench(link, clip, asked, records)
            for participants in asked.participants:
                if not asked.inside or participants in VETH_SIZES or asked.participants != SIZES:
                    bench.size(participants)
                    save(result, asked)
            if not asked.inside and (asked.participants == SIZES or "encoded" in (asked.ways or ())):
                bench.encoders()
            if asked.profile and not asked.inside:
                result["profile"] = profile(link, GOAL_SIZE, 8, clip)
    if asked.link != "loopback" and not asked.inside:
        passed_on = [word for word in arguments if word != "--profile"]
        result["veth_skipped"] = over_veth(passed_on, asked, records)
    result["took_seconds"] = time.monotonic() - started
    save(result, asked)
    print(f"{len(records)} runs in {result['took_seconds']:.0f} s: {asked.output}")
    return 1 if any("failed" in record for record in records) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
