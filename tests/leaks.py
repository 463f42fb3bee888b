#!/usr/bin/env python3
"""Fails when GStreamer's leaks tracer finds an object that is still alive after gst_deinit.

    leaks.py PLUGIN-FOLDER             every pipeline below, through gst-launch-1.0, to its end and interrupted
    leaks.py PLUGIN-FOLDER avchaosd    the daemon: tests that end, are stopped, or are running when it is told to end
"""
import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request

DEADLINE_SECONDS = 120
FORMAT = "new format string: object-alive"  # the tracer says it once when it starts

SINK = "avchaosudpsink host=127.0.0.1 port={port}"
SPIKES = [{"id": "a", "type": "rtp_packet_loss", "start_seconds": 0.2, "duration_seconds": 0.5,
           "params": {"loss_percentage": 50}},
          {"id": "b", "type": "frame_drop", "start_seconds": 0.4, "params": {"drop_percentage": 50}}]
# Each ends by itself: `loop=false` or `num-buffers` ends the media.
PIPELINES = {
    "avchaossrc, frames": "avchaossrc name=s loop=false s.video_0 ! queue ! h264parse ! fakesink "
                          "s.audio_0 ! queue ! fakesink",
    "avchaossrc, RTP": "avchaossrc name=s loop=false s.rtp ! fakesink",
    "participanttagger": "audiotestsrc num-buffers=50 ! opusenc ! rtpopuspay pt=111 ! "
                         "participanttagger participant-id=1001 ! fakesink",
    "chaosdegrader": "audiotestsrc is-live=true num-buffers=50 ! opusenc ! rtpopuspay pt=111 ! "
"chaosdegrader loss-percent=20 delay-ms=30 jitter-ms=10 allow-reordering=true ! fakesink",
    "spikescheduler": "audiotestsrc is-live=true num-buffers=50 ! opusenc ! rtpopuspay pt=111 ! "
                      "spikescheduler schedule-location={spikes} ! chaosdegrader ! fakesink",
    "avchaosudpsink": "audiotestsrc is-live=true num-buffers=50 ! opusenc ! rtpopuspay pt=111 ! " + SINK,
    "rtpqualityprobe": "audiotestsrc is-live=true num-buffers=50 ! opusenc ! rtpopuspay pt=111 ! "
                       "rtpqualityprobe name=p interval-ms=200 p.src ! fakesink "
                       "p.rtcp_src ! fakesink sync=false async=false",
    "a participant": "avchaossrc name=s participant-id=1001 context=c loop=false s.rtp ! participanttagger ! "
                     "spikescheduler context=c schedule-location={spikes} ! "
                     "chaosdegrader loss-percent=2 delay-ms=20 context=c ! " + SINK + " context=c",
}


class Alive(Exception):
    pass


def environment(folder, plugins):
    return {**os.environ, "GST_PLUGIN_PATH_1_0": plugins, "GST_REGISTRY": str(folder / "registry"),
            "GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7", "GST_DEBUG_NO_COLOR": "1"}


def check(log):
    """What the tracer wrote: its own description at the start, then one line per object left."""
    lines = log.splitlines()
    if not any(FORMAT in line for line in lines):
        raise Alive("the leaks tracer was not at work:\n" + log[-2000:])
    left = [line.partition(":0:")[2] or line for line in lines if "object-alive," in line and FORMAT not in line]
    if left:
        raise Alive("still alive:\n  " + "\n  ".join(left[:20]))


def launch(plugins, folder, text, interrupt):
    """Runs TEXT to its end, or interrupts it as soon as it plays."""
    log = folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(["gst-launch-1.0", "-m", *shlex.split(text)], stdout=subprocess.PIPE,
                                   stderr=errors, env=environment(folder, plugins), text=True)
        try:
            for line in process.stdout:
                if interrupt and "PLAYING" in line:
                    process.send_signal(signal.SIGINT)
                    interrupt = False
            code = process.wait(DEADLINE_SECONDS)
        finally:
            process.kill()
    if code not in (0, -signal.SIGINT):
        raise Alive(f"ended with {code}:\n" + log.read_text()[-2000:])
    check(log.read_text())


class Daemon:
    """avchaosd under the tracer, with a state directory of its own."""

    def __init__(self, path, plugins, folder):
        self.log = folder / "daemon.log"
        with self.log.open("w") as errors:
            self.process = subprocess.Popen([path, "--listen", "127.0.0.1:0", "--state-dir", str(folder / "state")],
                                            stdout=subprocess.PIPE, stderr=errors, text=True,
                                            env=environment(folder, plugins))
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()

    def ask(self, method, path, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as reply:
            return json.load(reply)

    def create(self, **keys):
        scenario = {"num_participants": 3, "duration_seconds": 2, "spikes": SPIKES, **keys}
        name = self.ask("POST", "/api/v1/test/create", scenario)["test_id"]
        self.ask("POST", f"/api/v1/test/{name}/start")
        return name

    def follow(self, name, word):
        """Reads the events of a test until one holds WORD."""
        with urllib.request.urlopen(f"{self.url}/api/v1/test/{name}/events", timeout=DEADLINE_SECONDS) as events:
            for line in events:
                if word in line.decode():
                    return

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE_SECONDS)
        if code != 0:
            raise Alive(f"ended with {code}:\n" + self.log.read_text()[-2000:])
        check(self.log.read_text())


def daemon(path, plugins, folder):
    server = Daemon(path, plugins, folder)
    try:
        server.follow(server.create(), '"completed"')
        stopped = server.create()
        server.follow(stopped, "sample")
        server.ask("POST", f"/api/v1/test/{stopped}/stop")
        server.follow(server.create(duration_seconds=60), "sample")
        server.end()
    finally:
        server.process.kill()


def cases(arguments, folder):
    plugins = arguments[0]
    if len(arguments) > 1:
        yield "avchaosd", lambda: daemon(arguments[1], plugins, folder)
        return
    spikes = folder / "spikes.json"
    spikes.write_text(json.dumps(SPIKES))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        for name, text in PIPELINES.items():
            text = text.format(port=receiver.getsockname()[1], spikes=spikes)
            yield name, lambda: launch(plugins, folder, text, interrupt=False)
        yield "a participant, interrupted", lambda: launch(plugins, folder, text, interrupt=True)


def main(arguments):
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, run in cases(arguments, pathlib.Path(folder)):
            try:
                run()
                print(f"ok: {name}", flush=True)
            except Alive as fault:
                failed += 1
                print(f"not ok: {name}: {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
