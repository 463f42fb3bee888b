#!/usr/bin/env python3
"""ffprobe, GStreamer's rtspsrc and a client of our own watch participants over RTSP, over UDP and TCP: with their chaos,
packet by packet as the decision log says; nobody without the token, nothing but playing, and no client that holds up
another."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time

from bed import Daemon, by_stream, check, main, unwrap
from rtsp_client import Client, Refused
from viewers import AUDIO, FIRST, SMALL, VIDEO

LOSS = {"network_profile": {"loss_percent": 10}}


class Rtsp(Daemon):
    def __init__(self, *flags, **more):
        super().__init__("--rtsp", "127.0.0.1:0", *flags, **more)
        self.rtsp = self.process.stdout.readline().split()[-1]

    def begin(self, **scenario):
        test = self.post("/api/v1/test/create", {"num_participants": 2, "target": {"transport": "loopback"},
                                                 "decision_log": True, **SMALL, **scenario})["test_id"]
        self.post(f"/api/v1/test/{test}/start")
        while self.get(f"/api/v1/test/{test}").get("preparing"):
            time.sleep(0.1)
        return test

    def proc(self):
        return pathlib.Path(f"/proc/{self.process.pid}")

    def path(self, test, participant=FIRST):
        return f"{self.rtsp}/{test}/{participant}"

    def decisions(self, test, turn=1, participant=FIRST):
        log = {}
        path = self.state_dir() / f"{test}.decisions.{participant}.rtsp-{turn}.jsonl"
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            log.setdefault(entry["ssrc"], []).append(entry)
        return log


def refused(status, what):
    try:
        what()
    except Refused as refusal:
        check(refusal.status == status, f"{refusal.status}, not {status}")
        return refusal
    raise AssertionError(f"not refused with {status}")


def ffprobe_sees_picture_and_sound():
    with Rtsp() as daemon:
        test, told = daemon.begin(), []
        for transport in ("tcp", "udp"):
            start = time.monotonic()
            run = subprocess.run(["ffprobe", "-v", "error", "-rtsp_transport", transport, "-show_streams", "-of", "json",
                                  daemon.path(test)], capture_output=True, text=True, timeout=60)
            check(run.returncode == 0, f"{transport}: {run.stderr[-500:]}")
            kinds = {s["codec_name"]: s for s in json.loads(run.stdout)["streams"]}
            check(set(kinds) == {"h264", "opus"} and kinds["h264"]["width"] == 320, f"{transport}: {run.stdout[:500]}")
            told.append(f"{transport} {time.monotonic() - start:.1f} s")
        run = subprocess.run(["ffprobe", "-v", "error", daemon.path(test, 1003)], capture_output=True, text=True,
                             timeout=60)
        check(run.returncode != 0 and "404" in run.stderr, f"a stranger: {run.stderr[-300:]}")
    return ", ".join(told)


def rtspsrc_decodes_it():
    with Rtsp() as daemon:
        test = daemon.begin()
        for transport in ("tcp", "udp"):
            command = (f"rtspsrc location={daemon.path(test)} protocols={transport} latency=200 name=s "
                       "s. ! application/x-rtp,media=video ! rtph264depay ! h264parse ! avdec_h264 ! "
                       "fakesink num-buffers=90 sync=false")
            run = subprocess.run(["gst-launch-1.0", "-q", *command.split()], capture_output=True, text=True, timeout=40)
            check(run.returncode == 0 and "ERROR" not in run.stderr, f"{transport}: {run.stderr[-800:]}")


def what_is_lost_is_what_the_log_says():
    """Over UDP and TCP, two clients at a time of the one participant, which also goes to the test's own receiver."""
    with Rtsp() as daemon:
        test = daemon.begin(**LOSS)
        with Client(daemon.path(test)) as first, Client(daemon.path(test)) as second:
            first.play("udp")
            time.sleep(2)
            second.play("tcp")
            check(second.read_tcp(6), "the server has closed")
            first.stop.set()
        told = []
        log = daemon.decisions(test)
        for client in (first, second):
            streams = by_stream(client.packets)
            check(set(streams) == {VIDEO, AUDIO}, f"streams {sorted(streams)}")
            decided = lost = 0
            for ssrc, packets in streams.items():
                numbers, entries = [p.seq for p in packets], log[ssrc]
                begin = next(i for i, e in enumerate(entries) if e["seq"] == numbers[0])
                end = max(i for i, e in enumerate(entries) if e["seq"] == numbers[-1])
                within = entries[begin:end + 1]
                sent = [e["seq"] for e in within if e["fate"] == "sent"]
                check(numbers == sent, f"{ssrc}: {len(numbers)} came, {len(sent)} were logged as sent")
                decided, lost = decided + len(within), lost + len(within) - len(sent)
            check(abs(lost / decided - 0.1) < 0.04, f"{lost} of {decided} lost")
            check(all(p.participant == FIRST for p in client.packets), "whose packets are these")
            told.append(f"{lost} of {decided}")
    return "lost " + ", ".join(told)


def the_first_packets_are_the_first_of_the_chain():
    """Whoever takes its time between DESCRIBE and PLAY misses no number."""
    with Rtsp() as daemon:
        test = daemon.begin()
        with Client(daemon.path(test)) as client:
            client.describe()
            time.sleep(2)
            client.play("udp")
            time.sleep(3)
        for ssrc, packets in by_stream(client.packets).items():
            numbers = unwrap([p.seq for p in packets])
            check(numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"{ssrc} has holes")
            check(packets[0].seq == daemon.decisions(test)[ssrc][0]["seq"], f"{ssrc}: not from the first on")


def udp_sockets(daemon):
    own = {link.readlink().name for link in (daemon.proc() / "fd").iterdir()}
    rows = [line.split() for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if f"socket:[{row[9]}]" in own}


def it_listens_at_its_address_alone():
    with Rtsp() as daemon:
        test = daemon.begin()
        before = udp_sockets(daemon)
        with Client(daemon.path(test)) as client:
            client.play("udp")
            new = {address.split(":")[0] for address in udp_sockets(daemon) - before}
        check(new == {"0100007F"}, f"UDP sockets at {new}")


def a_spike_reaches_those_who_watch():
    with Rtsp() as daemon:
        test = daemon.begin()
        with Client(daemon.path(test)) as client:
            client.play("udp")
            time.sleep(2)
            answer = daemon.post(f"/api/v1/test/{test}/spike", {
                "spike_id": "dark", "type": "blackout", "duration_seconds": 2, "participant_ids": [FIRST]})
            check(answer["spike_id"] == "dark", f"{answer}")
            time.sleep(5)
        times = [p.at for p in client.packets]
        gap = max(b - a for a, b in zip(times, times[1:]))
        check(1.8 < gap < 2.6, f"silent for {gap:.2f} s, not 2")
    return f"silent for {gap:.2f} s"


def who_joins_in_a_spike_meets_it():
    with Rtsp() as daemon:
        test = daemon.begin()
        daemon.post(f"/api/v1/test/{test}/spike", {"spike_id": "half", "type": "rtp_packet_loss", "duration_seconds": 60,
                                                   "params": {"loss_percent": 50}})
        time.sleep(0.5)
        with Client(daemon.path(test)) as client:
            client.play("udp")
            time.sleep(3)
        log = [e for entries in daemon.decisions(test).values() for e in entries]
        lost = sum(e["fate"] == "lost" for e in log)
        check(abs(lost / len(log) - 0.5) < 0.12, f"{lost} of {len(log)}")


def nobody_without_the_token():
    with Rtsp(env={"AVCHAOS_TOKEN": "secret"}) as daemon:
        call, bearer = daemon.call, {"Authorization": "Bearer secret"}
        daemon.call = lambda method, path, body=None, headers=None: call(method, path, body, bearer)
        test = daemon.begin()
        with Client(daemon.path(test)) as client:
            check("realm" in refused(401, client.describe).headers["www-authenticate"], "it does not say how")
        with Client(daemon.path(test), ("avchaos", "wrong")) as client:
            refused(401, client.describe)
        with Client(daemon.path(test), ("avchaos", "secret")) as client:
            client.play("udp")
            time.sleep(2)
            check(len(client.packets) > 50, f"{len(client.packets)} packets")
        url = daemon.path(test).replace("rtsp://", "rtsp://avchaos:secret@")  # ffmpeg takes Digest where it is offered
        run = subprocess.run(["ffprobe", "-v", "error", "-show_streams", url], capture_output=True, text=True, timeout=60)
        check(run.returncode == 0 and "h264" in run.stdout, run.stderr[-500:])


def it_can_only_be_played():
    sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    with Rtsp() as daemon:
        test = daemon.begin()
        with Client(daemon.path(test)) as client:
            client.describe()  # so that there is a mount
            refused(405, lambda: client.ask("ANNOUNCE", body=sdp))
        for strange in ("/", "/x", f"/{test}", f"/{test}/", f"/{test}/01001", f"/{test}/1003", f"/{test}/-1",
                        f"/{test}/1001x", "/nobody/1001", "/%2e%2e/1001", f"/{test}/1001x/stream=0"):
            with Client(daemon.rtsp + strange) as client:
                refused(404, client.describe)
        waiting = daemon.post("/api/v1/test/create", {"num_participants": 1, **SMALL})["test_id"]
        with Client(daemon.path(waiting)) as client:  # created, not started
            refused(404, client.describe)


def mounts_go_with_their_test():
    with Rtsp() as daemon:
        kept, ended = daemon.begin(), daemon.begin()
        with Client(daemon.path(kept)) as other, Client(daemon.path(ended)) as client:
            other.play("udp")
            client.play("tcp")
            check(client.read_tcp(1), "it was not there")
            daemon.post(f"/api/v1/test/{ended}/stop")
            at = time.monotonic()
            check(not client.read_tcp(10), "it goes on")
            took = time.monotonic() - at
            check(took < 2, f"its connection ended after {took:.1f} s")
            with Client(daemon.path(ended)) as late:
                refused(404, late.describe)
            before = len(other.packets)
            time.sleep(1)
            check(len(other.packets) > before + 30, "the other test's client gets nothing any more")


def clients_that_do_not_read_hold_up_nobody():
    """Eight of them, four on the very participant that somebody else watches, and their memory has an end."""
    with Rtsp() as daemon:
        test = daemon.begin(video={"width": 640, "height": 360, "fps": 30, "bitrate_kbps": 4000}, renditions=[4000])
        dead = [Client(daemon.path(test, FIRST + i % 2)) for i in range(8)]
        for client in dead:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.play("tcp")
        with Client(daemon.path(test)) as client:
            client.play("udp")
            start = resident_mib(daemon)
            time.sleep(25)
            grown = resident_mib(daemon) - start
            silent = max(b.at - a.at for a, b in zip(client.packets, client.packets[1:]))
            for ssrc, packets in by_stream(client.packets).items():
                numbers = unwrap([p.seq for p in packets])
                check(numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"{ssrc} has holes")
            check(silent < 0.5, f"silent for {silent:.2f} s")
            check(len(client.packets) > 25 * 60, f"{len(client.packets)} packets")
        for one in dead:
            one.close()
        daemon.post(f"/api/v1/test/{test}/stop")
        late = daemon.get(f"/api/v1/test/{test}/report.json")["generator"]["late_p99_ms"]
        check(late < 20, f"lateness p99 {late} ms")
        check(grown < 100, f"{grown:.0f} MiB more")
    return f"nobody waited more than {silent * 1000:.0f} ms; {grown:.0f} MiB more; lateness p99 {late} ms"


def resident_mib(daemon):
    return int(re.search(r"VmRSS:\s+(\d+)", (daemon.proc() / "status").read_text())[1]) / 1024


def who_vanishes_leaves_nothing_behind():
    """Connections that end without a word, in every state; threads and descriptors are then as before."""
    with Rtsp() as daemon:
        test = daemon.begin()

        def come(what):
            """Again where the last one is just leaving."""
            for _ in range(20):
                client = Client(daemon.path(test))
                try:
                    what(client)
                    return client
                except Refused as refusal:
                    check(refusal.status == 503, f"{refusal.status}")
                    client.close()
                    time.sleep(0.2)
            raise AssertionError("it leaves for seconds")

        def come_and_go():
            for transport in (None, "tcp", "udp"):
                client = come(lambda one: one.play(transport) if transport else one.describe())
                if transport == "udp":  # over UDP only TEARDOWN, or a minute of silence, says that nobody is there
                    client.ask("TEARDOWN")
                client.close()
            time.sleep(4)
            return len(list((daemon.proc() / "task").iterdir())), len(list((daemon.proc() / "fd").iterdir()))

        come_and_go()
        before = come_and_go()
        for _ in range(3):
            after = come_and_go()
        check(after[0] <= before[0] + 1 and after[1] <= before[1] + 2, f"threads and descriptors {before}, then {after}")
    return f"{after[0]} threads, {after[1]} descriptors"


def connections_have_a_limit():
    with Rtsp() as daemon:
        test = daemon.begin()
        crowd = [socket.create_connection(("127.0.0.1", int(daemon.rtsp.rsplit(":", 1)[1]))) for _ in range(100)]
        time.sleep(1)
        try:
            with Client(daemon.path(test)) as client:
                client.describe()
            raise AssertionError("the hundred and first was let in")
        except (EOFError, ConnectionError):
            pass
        for one in crowd:
            one.close()
        time.sleep(1)
        with Client(daemon.path(test)) as client:
            client.describe()


if shutil.which("ffprobe") is None:
    print("skipped: Debian's ffmpeg is not installed")
    raise SystemExit(77)
main(clients_that_do_not_read_hold_up_nobody, who_vanishes_leaves_nothing_behind,
     ffprobe_sees_picture_and_sound, rtspsrc_decodes_it, what_is_lost_is_what_the_log_says,
     the_first_packets_are_the_first_of_the_chain, it_listens_at_its_address_alone, a_spike_reaches_those_who_watch,
     who_joins_in_a_spike_meets_it, nobody_without_the_token, it_can_only_be_played, mounts_go_with_their_test,
     connections_have_a_limit, at_once=4)
