"""What the peer tests share: a daemon under test, a receiver that knows only the published packet rules, and RTP
parsing written from those rules (docs/wire-format.md), independent of the product's code. Standard library only."""
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

BUILD = pathlib.Path(os.environ.get("AVCHAOS_BUILD", "build")).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
VIDEO_PT, AUDIO_PT = 96, 111
OWN_MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]


class Rtp(NamedTuple):
    at: float  # arrival, CLOCK_REALTIME seconds
    participant: int | None
    pt: int
    marker: bool
    seq: int
    timestamp: int
    ssrc: int
    payload: bytes
    size: int


def parse_rtp(data, at=0.0):
    """An RTP packet of a simulated participant, or None for anything else. RFC 3550 section 5.1 plus the id extension:
    profile 0x0001, one 32-bit word, the participant's id in little-endian order."""
    if len(data) < 12 or data[0] >> 6 != 2 or 72 <= (data[1] & 0x7F) <= 77:
        return None
    first, second, seq, timestamp, ssrc = struct.unpack_from(">BBHII", data)
    offset = 12 + 4 * (first & 0x0F)
    participant = None
    if first & 0x10:
        profile, words = struct.unpack_from(">HH", data, offset)
        if profile == 1 and words == 1:
            participant, = struct.unpack_from("<I", data, offset + 4)
        offset += 4 + 4 * words
    end = len(data) - (data[-1] if first & 0x20 else 0)
    return Rtp(at, participant, second & 0x7F, bool(second & 0x80), seq, timestamp, ssrc, bytes(data[offset:end]),
               len(data))


class Receiver:
    """Binds a free loopback port and keeps every datagram with its kernel timestamp."""

    SO_TIMESTAMPNS, SO_RCVBUFFORCE, SO_RXQ_OVFL = 35, 33, 40

    def __init__(self, port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, self.SO_RCVBUFFORCE, 64 << 20)
        except PermissionError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, self.SO_RXQ_OVFL, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.datagrams, self.kernel_drops = [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                data, ancillary, _, _ = self.socket.recvmsg(65536, 128)
            except socket.timeout:
                continue
            at = time.time()
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == self.SO_TIMESTAMPNS:
                    seconds, nanos = struct.unpack("qq", value[:16])
                    at = seconds + nanos / 1e9
                elif level == socket.SOL_SOCKET and kind == self.SO_RXQ_OVFL:
                    self.kernel_drops, = struct.unpack("I", value[:4])
            self.datagrams.append((at, data))

    def close(self):
        """Stops and returns every RTP packet in order of arrival."""
        time.sleep(0.3)  # what is still on the way through loopback
        self._stop.set()
        self._thread.join()
        self.socket.close()
        assert self.kernel_drops == 0, f"the receiver's own socket lost {self.kernel_drops} packets"
        return [p for p in (parse_rtp(d, at) for at, d in self.datagrams) if p]


def by_stream(packets):
    streams = defaultdict(list)
    for p in packets:
        streams[p.ssrc].append(p)
    return streams


def unwrap(seqs):
    """16-bit sequence numbers in order of arrival -> 64-bit ones (RFC 3550 A.1 without the restart rule)."""
    result, last = [], None
    for seq in seqs:
        last = seq if last is None else last + ((seq - last + 0x8000) & 0xFFFF) - 0x8000
        result.append(last)
    return result


class Problem(Exception):
    def __init__(self, status, body, headers):
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, headers


class Daemon:
    """An avchaosd of its own on a free port with a private state directory; ended with the context. `state_mib`: the
    state directory is a file system of its own of that size, which only the daemon sees."""

    def __init__(self, *flags, media_dir=None, env=None, state_mib=None):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="avchaos-peer-"))
        command = [BUILD / "launcher" / "avchaosd", "--listen", "127.0.0.1:0", "--state-dir", self.home / "state"]
        if media_dir:
            command += ["--media-dir", media_dir]
        if state_mib:
            (self.home / "state").mkdir()
            mount = f'mount -t tmpfs -o size={state_mib}m tmpfs "$0" && exec "$@"'
            command = [*OWN_MOUNTS, "sh", "-c", mount, self.home / "state", *command]
        self.log = open(self.home / "stderr", "w+")
        self.process = subprocess.Popen([*map(str, command), *flags], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, env={**os.environ, **(env or {})})
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.wait(5)
            raise RuntimeError(f"avchaosd said {line!r}: {self.errors()}")
        self.url = line.split()[-1]

    def state_dir(self):
        """As the daemon sees it."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.home}/state")

    def errors(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("avchaosd did not end within 10 s of SIGTERM") from None
        finally:
            if any(failure):
                print(self.errors())
            self.log.close()
            shutil.rmtree(self.home, ignore_errors=True)
        assert self.process.returncode == 0, f"avchaosd ended with {self.process.returncode}"

    def call(self, method, path, body=None, headers=None):
        """The reply's JSON (or text); a Problem for 4xx and 5xx."""
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                text, kind = reply.read().decode(), reply.headers.get_content_type()
        except urllib.error.HTTPError as e:
            text = e.read().decode()
            raise Problem(e.code, json.loads(text) if "json" in e.headers.get_content_type() else text,
                          e.headers) from None
        return json.loads(text) if kind == "application/json" else text

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None):
        return self.call("POST", path, {} if body is None else body)

    def run(self, scenario, during=None, timeout=120):
        """Creates and starts a test, waits for its end and returns (id, report)."""
        test = self.post("/api/v1/test/create", scenario)["test_id"]
        self.post(f"/api/v1/test/{test}/start")
        if during:
            during(test)
        self.wait_for(test, "stopped", timeout)
        return test, self.get(f"/api/v1/test/{test}/report.json")

    def wait_for(self, test, state, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            now = self.get(f"/api/v1/test/{test}")["state"]
            if now == state:
                return
            assert now != "failed", self.errors()
            time.sleep(0.1)
        raise AssertionError(f"the test is still {now} after {timeout} s")


def check(condition, text):
    """assert that also works under python -O and says what it saw."""
    if not condition:
        raise AssertionError(text)


def main(*tests, at_once=1, alone=()):
    """Runs the functions, prints a line each and a closing line, and exits. `at_once` of them go on at a time: for those
    that wait most of the time and share nothing. Those of `alone` follow one by one."""
    failed = []

    def run(test):
        start, told = time.monotonic(), io.StringIO()
        try:
            result = test()
            told.write(f"ok   {test.__name__} ({time.monotonic() - start:.1f} s){': ' + result if result else ''}\n")
        except Exception:
            failed.append(test)
            told.write(f"FAIL {test.__name__}\n")
            traceback.print_exc(file=told)
        print(told.getvalue(), end="", flush=True)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run, tests))
    for test in alone:
        run(test)
    print(f"{len(tests) + len(alone) - len(failed)} passed, {len(failed)} failed")
    raise SystemExit(1 if failed else 0)
