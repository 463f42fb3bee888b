"""The hostile or careless user: what is wrong is refused with a line that names it, the process lives on, and a test
that runs meanwhile loses nothing. Tables of (what is sent, the answer's status, the field it names)."""
import concurrent.futures
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import bed
from bed import check

TEST = "/api/v1/test"
CREATE = f"{TEST}/create"
SMALL = {"video": {"width": 160, "height": 120, "fps": 10, "bitrate_kbps": 200}, "renditions": [200, 100]}
LOOPBACK = {**SMALL, "target": {"transport": "loopback"}, "num_participants": 2}
SPIKE = {"spike_id": "s", "type": "rtp_packet_loss", "params": {"loss_percentage": "50"}, "duration_seconds": 1}


def answer(daemon, method, path, body=None, headers=None):
    """(status, document, headers), whatever the status. Body: bytes as they are, anything else as JSON."""
    for _ in range(50):
        try:
            if isinstance(body, bytes):
                got = raw_answer(daemon, method, path, body)
            else:
                got = 200, daemon.call(method, path, body, headers), {}
        except bed.Problem as e:
            got = e.status, e.body, e.headers
        check(got[0] != 500, f"{method} {path}: {got}")
        if got[0] != 429 or "too many requests" not in str(got[1]):
            return got
        time.sleep(0.05)
    raise AssertionError("refused for its rate, again and again")


def connect(daemon):
    url = urllib.parse.urlparse(daemon.url)
    return socket.create_connection((url.hostname, url.port), timeout=10)


def raw_answer(daemon, method, path, body):
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with connect(daemon) as s:
        try:
            s.sendall(head.encode() + body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was read
        reply = b""
        while chunk := s.recv(65536):
            reply += chunk
    top, _, text = reply.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(text) if text.startswith(b"{") else text.decode(), {}


def refused(daemon, name, status, field, method, path, body=None, headers=None):
    got, document, _ = answer(daemon, method, path, body, headers)
    check(got == status, f"{name}: {got}, not {status}: {document}")
    check(isinstance(document, dict) and document["status"] == status, f"{name}: no problem document: {document}")
    check(document.get("field", "") == field, f"{name}: names {document.get('field')!r}, not {field!r}: {document}")
    detail = document["detail"]
    check(detail and "\n" not in detail and len(detail) < 700, f"{name}: not one clear line: {detail!r}")


def create(daemon, body):
    """The new test's id. A machine with other work may be late: then the daemon takes nothing new for a while."""
    for _ in range(60):
        try:
            return daemon.post(CREATE, body)["test_id"]
        except bed.Problem as e:
            if e.status != 503:
                raise
            time.sleep(0.5)
    raise AssertionError("this machine is too busy for the test")


class Bystander:
    """A test that runs while others misbehave: its receiver must see no hole in any sequence."""

    def __init__(self, daemon, name="bystander"):
        self.daemon, self.name, self.receiver = daemon, name, bed.Receiver()

    def __enter__(self):
        target = {"host": "127.0.0.1", "port": self.receiver.port}
        create(self.daemon, {**SMALL, "test_id": self.name, "num_participants": 3, "target": target})
        self.daemon.post(f"{TEST}/{self.name}/start")
        return self

    def __exit__(self, *failure):
        if failure[0]:
            return
        self.daemon.post(f"{TEST}/{self.name}/stop")
        streams = bed.by_stream(self.receiver.close())
        check(len(streams) == 6, f"the bystander had {len(streams)} streams, not 6")
        for ssrc, packets in streams.items():
            seqs = sorted(bed.unwrap([p.seq for p in packets]))
            check(seqs == list(range(seqs[0], seqs[0] + len(seqs))), f"a hole in the bystander's stream {ssrc}")


def figures(daemon):
    pid = daemon.process.pid
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    value = dict(line.split(":", 1) for line in status.splitlines())
    return len(os.listdir(f"/proc/{pid}/fd")), int(value["Threads"]), int(value["VmRSS"].split()[0])


def settles(what, limit, seconds=10):
    end = time.monotonic() + seconds
    while (now := what()) > limit and time.monotonic() < end:
        time.sleep(0.1)
    return now


# ---- what a create may hold ----

NUMBERS = ["-1", "1e400", "-1e400", "true", '"x"', "[]", "{}"]
SETTINGS = [  # member of the body as JSON text, field
    *((f'"num_participants":{v}', "num_participants") for v in [*NUMBERS, "2.5", "1e30"]),
    *((f'"duration_seconds":{v}', "duration_seconds") for v in [*NUMBERS, "1e9", '"-5s"', '"nan"', '"inf"']),
    *((f'"video":{{"{key}":{v}}}', f"video.{key}") for key in ("width", "height", "fps", "bitrate_kbps")
      for v in [*NUMBERS, "1e9"]),
    ('"video":[]', "video"), ('"audio":5', "audio"), ('"spikes":"x"', "spikes"), ('"spikes":[5]', "spikes[0]"),
    ('"target":"x"', "target"), ('"thresholds":{"nosuch":["avg<1"]}', "thresholds.nosuch[0]"),
    ('"network_profile":{"loss_percent":101}', "network_profile.loss_percent"), ('"renditions":["a"]', "renditions[0]"),
    ('"seed":-1', "seed"), ('"seed":"18446744073709551616"', "seed"), ('"contexts":65', "contexts"),
    ('"test_id":"a/b"', "test_id"), ('"test_id":".."', "test_id"), (f'"test_id":"{"a" * 129}"', "test_id"),
    ('"test_id":"ä"', "test_id"), ('"backend_rtp_base_port":70000', "backend_rtp_base_port"),
    ('"nosuch":1', "nosuch"), ('"num_participant":1', "num_participant"), ('"stages":[]', "stages"),
    ('"media":{"path":"a","x":1}', "media.x"), ('"media_path":5', "media_path"),
    *((f'"target":{{"host":"127.0.0.1","port":{v}}}', "target.port") for v in ("0", "65536", "-1", '"5002"')),
    *((f'"target":{{"host":"{host}","port":5}}', "target.host")
      for host in ("", "a b", "no.such.host.invalid", "0x7f000001", "2130706433", "x" * 300, "127.0.0.1\\n")),
    *((f'"spikes":[{{"type":"rtp_packet_loss","params":{{"loss_percentage":{v}}}}}]',
       "spikes[0].params.loss_percentage") for v in ("101", "-1", "1e400", '"nan"', '""', "[]")),
    ('"spikes":[{"type":"zz"}]', "spikes[0].type"), ('"spikes":[{}]', "spikes[0].type"),
    ('"spikes":[{"type":"frame_drop","duration_seconds":-1}]', "spikes[0].duration_seconds"),
    ('"spikes":[{"type":"audio_silence","participant_ids":[7]}]', "spikes"),
    ('"spikes":[{"spike_id":"a","type":"audio_silence"},{"spike_id":"a","type":"audio_silence"}]',
     "spikes[1].spike_id"),
    ('"spikes":[' + ",".join(["{}"] * 10001) + "]", "spikes"),
]
TARGETS = ["8.8.8.8", "2001:4860:4860::8888", "fe80::1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "169.254.169.254",
           "::ffff:8.8.8.8"]
BODIES = [  # bytes, status
    (b"", 400), (b"hello", 400), (b"[]", 400), (b"5", 400), (b"[" * 100000, 400), (b'{"a":' * 100000, 400),
    (b'{"test_id":"\xff"}', 400), (b'{"test_id":"a\x00b"}', 400), (b'{"test_id":"a\\u0000b"}', 400),
    (b'{"test_id":"\\ud800"}', 400), (b'{"test_id":"a","test_id":"b"}', 400), (b'{"duration_seconds":NaN}', 400),
    (b'{"duration_seconds":Infinity}', 400), (b"{" + b",".join(b'"k%d":1' % i for i in range(60000)) + b"}", 400),
    (b"\x1f\x8b\x08", 400), (b" " * (1 << 20), 400), (b" " * ((1 << 20) + 1), 413),
]


def every_wrong_setting_is_named(daemon):
    for member, field in SETTINGS:
        own = {k: v for k, v in {"num_participants": 1, **SMALL, "target": {"transport": "loopback"}}.items()
               if not member.startswith(f'"{k}"')}
        body = json.dumps(own)[:-1] + "," + member + "}"
        refused(daemon, member[:60], 400, field, "POST", CREATE + "?strict=1", body)
    for host in TARGETS:
        body = {**LOOPBACK, "target": {"host": host, "port": 5}}
        refused(daemon, host, 403, "target.host", "POST", CREATE, json.dumps(body))
    refused(daemon, "5001", 429, "num_participants", "POST", CREATE, json.dumps({**LOOPBACK, "num_participants": 5001}))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        target = {"transport": "loopback", "port": taken.getsockname()[1]}
        refused(daemon, "busy", 409, "target.port", "POST", CREATE, json.dumps({**LOOPBACK, "target": target}))


def every_body_that_is_none_is_refused(daemon):
    for body, status in BODIES:
        got, document, _ = answer(daemon, "POST", CREATE, body)
        check(got == status, f"{body[:40]!r}: {got} {document}")
        check("\n" not in document["detail"], f"{body[:40]!r}: {document['detail']!r}")


# ---- files ----


def make_files(folder):
    media, outside = folder / "media", folder / "outside"
    media.mkdir()
    outside.mkdir()
    subprocess.run(["gst-launch-1.0", "-q", "audiotestsrc", "num-buffers=50", "!", "wavenc", "!", "filesink",
                    f"location={outside}/tone.wav"], check=True)
    whole = (outside / "tone.wav").read_bytes()
    contents = {"empty.mp4": b"", "text.mp4": b"no media", "noise.mp4": bytes(range(256)) * 200, "cut.wav": whole[:30],
                "picture.jpg": bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb"), "tone.wav": whole}
    for name, content in contents.items():
        (media / name).write_bytes(content)
    (media / "folder.mp4").mkdir()
    (media / "out.mp4").symlink_to(outside / "tone.wav")
    (media / "loop.mp4").symlink_to("loop.mp4")
    (media / "zero.mp4").symlink_to("/dev/zero")
    os.mkfifo(media / "pipe.mp4")
    return media


AT_CREATE = ["missing.mp4", "empty.mp4", "folder.mp4", "pipe.mp4", "out.mp4", "loop.mp4", "zero.mp4", "/etc/passwd",
             "../outside/tone.wav", "tone.wav/x", "file:///etc/passwd", "x" * 300, "a/" * 2000]
AT_START = ["text.mp4", "noise.mp4", "cut.wav", "picture.jpg"]


def files_that_cannot_be_played_are_named(daemon):
    for path in AT_CREATE:
        refused(daemon, path[:40], 400, "media_path", "POST", CREATE, json.dumps({**LOOPBACK, "media_path": path}))
    for path in AT_START:
        test = create(daemon, {**LOOPBACK, "media_path": path})
        refused(daemon, path, 400, "media_path", "POST", f"{TEST}/{test}/start")
        state = daemon.get(f"{TEST}/{test}")
        check(state["state"] == "failed" and path in state["reason"], f"{path}: {state}")
        daemon.call("DELETE", f"{TEST}/{test}")


def a_file_that_vanishes_after_create_fails_the_start(daemon, media):
    (media / "soon.wav").write_bytes((media / "tone.wav").read_bytes())
    test = create(daemon, {**LOOPBACK, "num_participants": 5, "media_path": "soon.wav"})
    (media / "soon.wav").unlink()
    refused(daemon, "vanished", 400, "media_path", "POST", f"{TEST}/{test}/start")


# ---- the life of a test ----


def wrong_states_are_conflicts(daemon):
    test = create(daemon, {**LOOPBACK, "test_id": "life"})
    at = f"{TEST}/{test}"
    spike = json.dumps(SPIKE)
    refused(daemon, "duplicate", 409, "test_id", "POST", CREATE, json.dumps({**LOOPBACK, "test_id": test}))
    refused(daemon, "spike before start", 409, "", "POST", f"{at}/spike", spike)
    with concurrent.futures.ThreadPoolExecutor(8) as many:
        codes = sorted(many.map(lambda _: answer(daemon, "POST", f"{at}/start")[0], range(8)))
    check(codes == [200] + [409] * 7, f"eight starts at once: {codes}")
    refused(daemon, "delete", 409, "", "DELETE", at)
    for change, status, field in [
            ({"spike_id": ""}, 400, "spike_id"), ({"type": "zz"}, 400, "type"), ({"participant_ids": [5]}, 404,
            "participant_ids"),
            ({"participant_ids": "all"}, 400, "participant_ids"),
            ({"participant_ids": [-1]}, 400, "participant_ids[0]"),
            ({"duration_seconds": -1}, 400, "duration_seconds"), ({"duration_seconds": 1e9}, 400, "duration_seconds"),
            ({"params": []}, 400, "params"), ({"params": {"loss_percentage": "NaN"}}, 400, "params.loss_percentage"),
            ({"spike_id": "a" * 129}, 400, "spike_id"), ({"type": "ice_restart", "params": {}}, 400, "type")]:
        refused(daemon, f"spike {change}", status, field, "POST", f"{at}/spike", json.dumps({**SPIKE, **change}))
    refused(daemon, "cancel", 404, "spike_id", "DELETE", f"{at}/spike/none")
    check(daemon.post(f"{at}/spike", {**SPIKE, "start_offset_seconds": 3})["warnings"], "the offset passed in silence")
    daemon.post(f"{at}/spike", {**SPIKE, "duration_seconds": 0})  # until it is cancelled: s#2
    check(daemon.call("DELETE", f"{at}/spike/s%232")["cancelled"], "s#2 could not be cancelled")
    daemon.post(f"{at}/stop")
    daemon.post(f"{at}/stop")  # no fault: an old client's habit
    refused(daemon, "restart", 409, "", "POST", f"{at}/start")
    refused(daemon, "spike after stop", 409, "", "POST", f"{at}/spike", spike)
    daemon.call("DELETE", at)
    for method, rest in [("GET", ""), ("POST", "/start"), ("GET", "/events"), ("DELETE", "")]:
        refused(daemon, f"unknown {rest}", 404, "test_id", method, at + rest)
    refused(daemon, "limit", 400, "limit", "GET", f"{TEST}/bystander/participants?limit=-1")
    refused(daemon, "id", 400, "participant_id", "GET", f"{TEST}/bystander/participants/nan")
    refused(daemon, "id", 404, "participant_id", "GET", f"{TEST}/bystander/participants/99")


def a_test_can_be_stopped_while_its_media_is_prepared(daemon):
    big = {"test_id": "big", "num_participants": 2, "target": {"transport": "loopback"},
           "video": {"width": 1920, "height": 1080, "bitrate_kbps": 4000}}
    create(daemon, big)
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        start = other.submit(answer, daemon, "POST", f"{TEST}/big/start")
        end = time.monotonic() + 5
        while not daemon.get(f"{TEST}/big").get("preparing") and time.monotonic() < end:
            time.sleep(0.02)
        refused(daemon, "spike", 409, "", "POST", f"{TEST}/big/spike", json.dumps(SPIKE))
        begun = time.monotonic()
        daemon.post(f"{TEST}/big/stop")
        check(time.monotonic() - begun < 3, "stopping a preparation took long")
        check(start.result()[0] == 409, "the start that was stopped said otherwise")
    daemon.call("DELETE", f"{TEST}/big")


def many_spikes_at_once_all_happen_and_end(daemon):
    planned = [{"spike_id": f"p{i}", "type": "rtp_packet_loss", "params": {"loss_percentage": 5},
                "start_offset_seconds": i * 0.001, "duration_seconds": 0.2} for i in range(1000)]
    body = {**LOOPBACK, "test_id": "many", "duration_seconds": 600, "spikes": planned,
            "spike_distribution": {"strategy": "legacy", "min_spacing_seconds": 0}}
    create(daemon, body)
    daemon.post(f"{TEST}/many/start")
    for i in range(300):
        got, document, _ = answer(daemon, "POST", f"{TEST}/many/spike", json.dumps({**SPIKE, "duration_seconds": 0.1}))
        check(got == 200, f"spike {i}: {document}")
    left = settles(lambda: sum(s["state"] in ("planned",
        "active") for s in daemon.get(f"{TEST}/many/spikes")["spikes"]), 0)
    spikes = daemon.get(f"{TEST}/many/spikes")["spikes"]
    check(left == 0 and len(spikes) == 1300, f"{left} of {len(spikes)} spikes are not over")
    odd = [s for s in spikes if s["state"] != "ended" and "over before the first packet" not in s.get("reason", "")]
    check(not odd, f"{len(odd)} spikes did not happen and nobody says why: {odd[:2]}")
    daemon.post(f"{TEST}/many/stop")
    daemon.call("DELETE", f"{TEST}/many")


def a_target_that_refuses_or_vanishes_is_a_warning(daemon):
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    target = {"host": "127.0.0.1", "port": receiver.getsockname()[1]}
    create(daemon, {**SMALL, "test_id": "gone", "num_participants": 3, "target": target})
    daemon.post(f"{TEST}/gone/start")
    check("warnings" not in daemon.get(f"{TEST}/gone"), "a warning before anything went wrong")
    receiver.close()
    settles(lambda: "warnings" not in daemon.get(f"{TEST}/gone"), 0)
    told = daemon.get(f"{TEST}/gone").get("warnings", [])
    check(len(told) == 1 and "nobody takes packets at 127.0.0.1" in told[0], f"said of the target: {told}")
    check(daemon.get(f"{TEST}/gone")["state"] == "running", "the test ended")
    daemon.post(f"{TEST}/gone/stop")
    check(told[0] in daemon.get(f"{TEST}/gone/report.json")["warnings"], "the report does not say it")


def two_tests_at_once_do_not_touch_each_other(daemon):
    receivers = [bed.Receiver(), bed.Receiver()]
    for name, receiver in zip("xy", receivers):
        create(daemon, {**SMALL, "test_id": name, "seed": ord(name), "num_participants": 2,
                             "target": {"host": "127.0.0.1", "port": receiver.port}})
        daemon.post(f"{TEST}/{name}/start")
    daemon.post(f"{TEST}/x/spike", {**SPIKE, "params": {"loss_percentage": 100}, "duration_seconds": 0})
    daemon.post(f"{TEST}/x/stop")
    at_stop = len(receivers[1].datagrams)
    check(settles(lambda: at_stop + 50 - len(receivers[1].datagrams), 0) <= 0, "stopping x stopped y")
    daemon.post(f"{TEST}/y/stop")
    packets = [bed.by_stream(r.close()) for r in receivers]
    for ssrc, stream in packets[1].items():
        seqs = sorted(bed.unwrap([p.seq for p in stream]))
        check(len(seqs) == seqs[-1] - seqs[0] + 1, f"x's spike was felt in y, stream {ssrc}")
        if packets[0].get(ssrc):
            check(packets[0][ssrc][0].seq != stream[0].seq, "two seeds begin alike")


def cycles_leave_nothing_behind(daemon):
    def cycle(n):
        create(daemon, {**LOOPBACK, "test_id": f"cycle{n}", "num_participants": 10})
        daemon.post(f"{TEST}/cycle{n}/start")
        daemon.post(f"{TEST}/cycle{n}/stop")
        daemon.call("DELETE", f"{TEST}/cycle{n}")

    for n in range(5):
        cycle(n)
    time.sleep(0.5)
    fds, threads, rss = figures(daemon)
    for n in range(20):
        cycle(n)
    settles(lambda: any(now > then for now, then in zip(figures(daemon), (fds, threads))), False)
    now = figures(daemon)
    check(now[0] <= fds and now[1] <= threads, f"fds {fds} -> {now[0]}, threads {threads} -> {now[1]}")
    check(now[2] < rss + 4096, f"resident memory {rss} -> {now[2]} KiB")
    return f"20 cycles: fds {fds} -> {now[0]}, threads {threads} -> {now[1]}, RSS {rss} -> {now[2]} KiB"


# ---- HTTP itself ----


def connections_in_every_bad_shape_are_given_back(daemon):
    before = figures(daemon)[0]
    head = f"POST {CREATE} HTTP/1.1\r\nHost: x\r\n".encode()
    pieces = [b"\x00\xff" * 500, b"GET /healthz HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 200000,
        head + b"X: " + b"a" * 500000,
              bytes.fromhex("16030100a5010000a10303"), head + b"Content-Length: -5\r\n\r\n",
              head + b"Content-Length: 99999999999999999999\r\n\r\n", head + b"Content-Length: 100\r\n\r\n{",
              head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
              head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
              head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 20]
    for piece in pieces * 4:
        with connect(daemon) as s:
            try:
                s.sendall(piece)
            except OSError:
                pass
    begun = time.monotonic()
    idle = [connect(daemon) for _ in range(100)]
    check(time.monotonic() - begun < 0.9, "a hundred clients at once had to knock twice")
    for s in idle[:50]:
        s.sendall(head + b"Content-Length: 100\r\n\r\n{")  # and never more
    begun = time.monotonic()
    daemon.get("/healthz")
    check(time.monotonic() - begun < 1, "stalled clients held up another")
    for s in idle:
        s.close()
    for _ in range(100):
        answer(daemon, "GET", "/healthz")  # a client that comes, asks and goes
    after = settles(lambda: figures(daemon)[0], before)
    check(after <= before, f"descriptors {before} -> {after}")


def silent_clients_give_way_and_cannot_shut_others_out():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))  # what the daemon begins with
    try:
        daemon = bed.Daemon()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with daemon, Bystander(daemon):
        before = figures(daemon)[0]
        silent = [connect(daemon) for _ in range(700)]
        daemon.get("/healthz")
        check(figures(daemon)[0] < before + 300, f"{figures(daemon)[0]} descriptors for clients who say nothing")
        silent[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")  # slow, but not among the oldest
        check(silent[-1].recv(12) == b"HTTP/1.1 200", "the last of them was sent away")
        for s in silent:
            s.close()
        check(settles(lambda: figures(daemon)[0], before) <= before, f"{before} -> {figures(daemon)[0]} descriptors")


def a_flood_is_told_to_come_back(daemon):
    codes = {}
    for _ in range(1000):
        try:
            daemon.get("/healthz")
            codes[200] = codes.get(200, 0) + 1
        except bed.Problem as e:
            check(e.status == 429 and e.headers["Retry-After"], f"{e.status} {e.body}")
            codes[429] = codes.get(429, 0) + 1
    answer(daemon, "GET", "/healthz")  # served again
    return str(codes)


def readers_that_do_not_read_are_no_burden(daemon):
    before = figures(daemon)
    streams = []
    for _ in range(70):
        s = connect(daemon)
        s.sendall(f"GET {TEST}/bystander/events HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        streams.append(s)
        time.sleep(0.006)
    heads = [s.recv(12) for s in streams]
    check(heads.count(b"HTTP/1.1 200") == 64 and heads.count(b"HTTP/1.1 429") == 6, f"{heads.count(b'HTTP/1.1 200')}")
    for i in range(200):  # two events each
        answer(daemon, "POST", f"{TEST}/bystander/spike",
               json.dumps({"spike_id": f"e{i}" + "x" * 100, "type": "audio_silence", "duration_seconds": 0.01}))
    daemon.get("/healthz")
    for s in streams:
        s.close()
    after = settles(lambda: figures(daemon)[0], before[0])
    check(after <= before[0], f"descriptors {before[0]} -> {after}")


def with_a_second_test_running():
    with tempfile.TemporaryDirectory(prefix="avchaos-bad-") as folder:
        media = make_files(pathlib.Path(folder))
        with bed.Daemon(media_dir=media) as daemon, Bystander(daemon):
            told = []
            for part, *more in [(every_wrong_setting_is_named,), (every_body_that_is_none_is_refused,),
                                (files_that_cannot_be_played_are_named,),
                                (a_file_that_vanishes_after_create_fails_the_start, media),
                                (wrong_states_are_conflicts,), (a_test_can_be_stopped_while_its_media_is_prepared,),
                                (a_target_that_refuses_or_vanishes_is_a_warning,),
                                (two_tests_at_once_do_not_touch_each_other,), (cycles_leave_nothing_behind,),
                                (connections_in_every_bad_shape_are_given_back,), (a_flood_is_told_to_come_back,),
                                (readers_that_do_not_read_are_no_burden,)]:
                begun = time.monotonic()
                said = part(daemon, *more)
                print(f"     {part.__name__} ({time.monotonic() - begun:.1f} s){': ' + said if said else ''}",
                    flush=True)
            check("CRITICAL" not in daemon.errors(), daemon.errors())


def a_thousand_planned_and_300_injected_spikes():
    with bed.Daemon() as daemon:
        many_spikes_at_once_all_happen_and_end(daemon)


# ---- the daemon's own start, token and state ----


# Root may read and write everything. Without these it is asked like everybody else, and still reaches the build.
PLAIN = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def daemon_says(*flags, env=None, by=()):
    """(exit code, what it said on stderr); None where it started, and was then ended."""
    with tempfile.TemporaryDirectory(prefix="avchaos-bad-") as home:
        command = [*by, bed.BUILD / "launcher" / "avchaosd", "--listen", "127.0.0.1:0", "--state-dir", f"{home}/state",
            *flags]
        p = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env={**os.environ, **(env or {})})
        started = p.stdout.readline().startswith("listening on ")
        if started:
            p.terminate()
        said = p.communicate(timeout=20)[1].strip()
        return (None if started else p.returncode), said


def a_daemon_that_cannot_start_says_why():
    with tempfile.TemporaryDirectory(prefix="avchaos-bad-") as name:
        folder = pathlib.Path(name)
        files = {"empty": b"\n", "words": b"two words", "binary": b"\x00\xff", "long": b"x" * 5000, "good": b"secret\n",
                 "broken.json": b"{", "unknown.json": b'{"listne":"x"}', "deep.json": b"[" * 200000}
        for file, content in files.items():
            (folder / file).write_bytes(content)
        (folder / "badstate").mkdir()
        (folder / "badstate" / "runs.sqlite").write_bytes(bytes(range(256)) * 40)
        (folder / "readonly").mkdir(mode=0o555)
        taken = socket.create_server(("127.0.0.1", 0))
        rows = [(["--token-file", f"{folder}/{f}"], "--token-file") for f in ("none", "empty", "words", "binary",
            "long", "")]
        rows += [(["--config", f"{folder}/{f}"], f) for f in ("broken.json", "unknown.json", "deep.json", "none")]
        rows += [(["--listen", f"127.0.0.1:{taken.getsockname()[1]}"], "--listen"), (["--listen", "0.0.0.0:0"],
        "--listen"),
                 (["--listen", "127.0.0.1:65536"], "--listen"), (["--listen", "8080"], "--listen"),
                 (["--state-dir", "/etc/passwd"], "--state-dir"), (["--state-dir", f"{folder}/badstate"],
                 "--state-dir"),
                 (["--media-dir", f"{folder}/none"], "--media-dir"),
                 (["--max-participants", "nan"], "--max-participants"),
                 (["--allow-target", "8.8.8.8/33"], "--allow-target"), (["--nope"], "--nope")]
        for flags, named in rows:
            code, said = daemon_says(*flags)
            check(code == 1 and named in said and len(said.splitlines()) == 1, f"{flags}: {code} {said!r}")
        code, said = daemon_says(env={"AVCHAOS_TOKEN": "a\nb"})
        check(code == 1 and "AVCHAOS_TOKEN" in said, f"{code} {said!r}")
        (folder / "good").chmod(0o644)
        code, said = daemon_says("--token-file", f"{folder}/good")
        check(code is None and "can be read by every user" in said and "secret" not in said, f"{code} {said!r}")
        (folder / "good").chmod(0)
        for flags in (["--token-file", f"{folder}/good"], ["--state-dir", f"{folder}/readonly"]):
            code, said = daemon_says(*flags, by=PLAIN)
            check(code == 1 and flags[0] in said, f"{flags}: {code} {said!r}")
        taken.close()


def a_token_is_asked_for_and_compared_whole():
    with bed.Daemon(env={"AVCHAOS_TOKEN": "secret"}) as daemon:
        for header in ("", "Bearer", "Bearer ", "Bearer secre", "Bearer secretx", "Basic c2VjcmV0",
            "Bearer " + "x" * 50000):
            refused(daemon, header[:20], 401, "", "GET", "/api/v1/tests", headers={"Authorization": header})
        refused(daemon, "unknown", 401, "", "GET", "/nothing")
        check(answer(daemon, "GET", "/api/v1/tests", headers={"Authorization": "Bearer secret"})[0] == 200, "refused")
        check(answer(daemon, "GET", "/healthz")[0] == 200, "/healthz is not open")


def a_daemon_that_died_goes_on_with_its_state():
    with tempfile.TemporaryDirectory(prefix="avchaos-bad-") as state:
        for how in (signal.SIGKILL, signal.SIGTERM):
            daemon = bed.Daemon("--state-dir", state)
            name = how.name.lower()
            create(daemon, {**LOOPBACK, "test_id": name})
            daemon.post(f"{TEST}/{name}/start")
            settles(lambda: daemon.get(f"{TEST}/{name}").get("elapsed_seconds", 0) < 2, False)
            daemon.process.send_signal(how)
            daemon.process.wait(10)
            daemon.log.close()
        with bed.Daemon("--state-dir", state) as again:
            for name, reason in (("sigkill", "interrupted"), ("sigterm", "signal")):
                report = again.get(f"{TEST}/{name}/report.json")
                check(report["reason"] == reason and report["samples"], f"{name}: {report['reason']}")


# ---- the command line ----


def the_command_line_says_one_line_and_the_right_code():
    avchaos = str(bed.BUILD / "tools" / "avchaos")
    asks = {"AVCHAOS_TOKEN": "secret"}
    with tempfile.TemporaryDirectory(prefix="avchaos-bad-") as name, bed.Daemon(env=asks) as daemon:
        folder = pathlib.Path(name)
        texts = {"ok": '{"num_participants":1,"duration_seconds":1}', "empty": "", "words": "hello", "list": "[]",
                 "deep": "[" * 300000, "deeper": '{"a":' * 300000, "nul": '{"a":"\x00"}', "utf8": b'{"a":"\xff"}',
                 "unknown": '{"num_participant":3}', "negative": '{"num_participants":-3}',
                 "nan": '{"duration_seconds":NaN}',
                 "huge": '{"duration_seconds":1e400}', "spike": '{"spikes":[{"type":"zz"}]}', "big": " " * (2 << 20),
                 "public": '{"target":{"host":"8.8.8.8","port":5}}', "many": '{"num_participants":5001}',
                 "nofile": '{"media_path":"none.mp4"}', "noname": '{"target":{"host":"no.such.invalid","port":5}}'}
        for file, text in texts.items():
            (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.bind(("0.0.0.0", 0))
        rows = [(["plan", f], 104, f) for f in ("empty", "words", "list", "deep", "deeper", "nul", "utf8", "big")]
        rows += [(["plan", f], 104, field) for f, field in (
            ("unknown", "num_participant"), ("negative", "num_participants"), ("huge", "duration_seconds"), ("nan",
            "nan"),
            ("spike", "spikes[0].type"), ("nofile", "media_path"), ("noname", "target.host"), ("none", "none"))]
        rows += [(["plan", "public"], 106, "target.host"), (["plan", "many"], 106, "num_participants"),
                 (["run", ""], 104, "empty"), (["run", "/dev/zero"], 104, "/dev/zero"), (["run", str(folder)], 104,
                 name),
                 (["rnu"], 104, "did you mean run"), (["run", "--sed"], 104, "did you mean --seed"),
                 (["plan", "ok", "--seed", "1e400"], 104, "seed"), (["plan", "ok", "--seed", "-1"], 104, "seed"),
                 (["plan", "ok", "--participants", "x"], 104, "num_participants"),
                 (["plan", "ok", "--duration", "nan"], 104, "--duration"), (["plan", "ok", "--duration", "-1"], 104,
                 "--duration"),
                 (["plan", "ok", "--set", "video.fps"], 104, "--set"), (["plan", "ok", "--set", "a=" + "[" * 60000],
                 104, "a"),
                 (["plan", "ok", "--base-url", "http://127.0.0.1:9"], 106, "127.0.0.1:9"),
                 (["plan", "ok", "--base-url", daemon.url], 106, "bearer token"),
                 (["run", "ok", "--report-dir", "/etc/passwd"], 106, "/etc/passwd"),
                 (["receive", "--port", str(taken.getsockname()[1])], 106, "port"), (["receive", "x"], 104, "--port"),
                 (["receive", "65536"], 104, "--port"), (["receive", "65535", "--rtcp"], 106, "port"),
                 (["receive", "0", "--bind", "nope"], 106, "bind"), (["receive", "0", "--duration", "nan"], 104,
                 "--duration")]

        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

        def run(row):
            return row, subprocess.run([avchaos, *row[0]], cwd=folder, capture_output=True, text=True, timeout=30)

        with concurrent.futures.ThreadPoolExecutor(2) as two:
            for (args, code, named), done in two.map(run, rows):
                said = done.stderr.strip()
                check(done.returncode == code, f"{str(args)[:80]}: {done.returncode} {said[:300]!r}")
                check(len(said.splitlines()) == 1 and named in said, f"{str(args)[:80]}: {said[:300]!r}")
        odd = subprocess.run([avchaos, "plan", "ok", "--base-url", daemon.url], cwd=folder, capture_output=True,
                text=True,
                             env={**os.environ, "AVCHAOS_TOKEN": "a\r\nX: y"}, timeout=30)
        check(odd.returncode == 104 and odd.stderr.count("\n") == 1 and "AVCHAOS_TOKEN" in odd.stderr, odd.stderr)
        taken.close()


if __name__ == "__main__":
    bed.main(with_a_second_test_running, a_thousand_planned_and_300_injected_spikes,
             silent_clients_give_way_and_cannot_shut_others_out,
    a_daemon_that_cannot_start_says_why, a_token_is_asked_for_and_compared_whole,
             a_daemon_that_died_goes_on_with_its_state, the_command_line_says_one_line_and_the_right_code)
