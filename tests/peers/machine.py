#!/usr/bin/env python3
"""What this machine can do is found out, told and kept to: `avchaos doctor --calibrate` measures what a packet costs
and the daemon admits tests by it; a state directory that is full or gone makes it not ready, while tests go on."""
import errno
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from bed import BUILD, Daemon, OWN_MOUNTS, Problem, Receiver, check, main

SMALL = {"video": {"width": 160, "height": 120, "fps": 10, "bitrate_kbps": 200}, "renditions": [200],
         "target": {"transport": "loopback"}}


def capacity(daemon):
    return next(c for c in daemon.get("/readyz")["checks"] if c["name"] == "capacity")


def what_the_doctor_measures_decides_who_is_admitted():
    with tempfile.TemporaryDirectory() as home:
        env = {"XDG_STATE_HOME": home, "AVCHAOS_CALIBRATION": ""}
        told = subprocess.run([BUILD / "tools" / "avchaos", "doctor", "--calibrate", "--json"], capture_output=True,
                              text=True, env={**os.environ, **env})
        check(told.returncode == 0, f"{told.returncode}: {told.stdout} {told.stderr}")
        checks = {c["name"]: c for c in json.loads(told.stdout)["checks"]}
        file = pathlib.Path(home) / "gst-avchaos" / "calibration.json"
        check(str(file) in checks["calibration"]["detail"], f"{checks['calibration']}")
        check("guess" not in checks["capacity"]["detail"], f"{checks['capacity']}")
        kept = json.loads(file.read_text())
        costs = kept["seconds_per_packet"]
        check(all(1e-8 <= costs[side] <= 1e-3 for side in ("sender", "receiver")), f"{kept}")
        with Daemon(env=env) as daemon:
            check(capacity(daemon)["detail"] == checks["capacity"]["detail"], f"{capacity(daemon)}")
        # A machine so slow that it carries 850 packets a second, those of ten such participants.
        file.write_text(json.dumps({**kept, "seconds_per_packet": {"sender": 1e-3, "receiver": 1e-6}}))
        with Daemon("--contexts", "1", env=env) as daemon:
            check("1e+03 µs a packet" in capacity(daemon)["detail"], f"{capacity(daemon)}")
            daemon.post("/api/v1/test/create", {**SMALL, "num_participants": 5})
            try:
                daemon.post("/api/v1/test/create", {**SMALL, "num_participants": 100})
            except Problem as problem:
                check(problem.status == 429 and problem.body["field"] == "num_participants", f"{problem}")
                check(int(problem.headers["Retry-After"]) > 0, f"{problem.headers}")
                check(problem.body["detail"].endswith("not 100 (as calibrated)"), f"{problem.body}")
                measured = [f"{costs[side] * 1e6:.2f}" for side in ("sender", "receiver")]
                return f"{' and '.join(measured)} µs a packet; then {problem.body['detail']}"
            check(False, "100 participants were admitted")


class Going:
    """A test that runs, and a stranger that hears it."""

    def __init__(self, daemon):
        self.daemon, self.receiver = daemon, Receiver()
        target = {"transport": "udp", "host": "127.0.0.1", "port": self.receiver.port}
        self.test = daemon.post("/api/v1/test/create", {**SMALL, "num_participants": 2, "target": target})["test_id"]
        daemon.post(f"/api/v1/test/{self.test}/start")

    def goes_on(self):
        """Sixty packets more, which is a second at least."""
        wanted, until = len(self.receiver.datagrams) + 60, time.monotonic() + 30
        while len(self.receiver.datagrams) < wanted:
            check(time.monotonic() < until, f"{len(self.receiver.datagrams)} of {wanted} packets")
            time.sleep(0.05)
        now = self.daemon.get(f"/api/v1/test/{self.test}")
        check(now["state"] == "running", f"{now}")

    def end(self):
        self.daemon.post(f"/api/v1/test/{self.test}/stop")
        report = self.daemon.get(f"/api/v1/test/{self.test}/report.json")
        seqs = {}
        for p in self.receiver.close():
            seqs.setdefault(p.ssrc, []).append(p.seq)
        check(len(seqs) == 4, f"{len(seqs)} streams")
        for ssrc, numbers in seqs.items():
            check(all((b - a) & 0xFFFF == 1 for a, b in zip(numbers, numbers[1:])), f"{ssrc}: packets are missing")
        check(report["reason"] == "stopped", f"{report['reason']}")
        return report


def not_ready(daemon, detail):
    try:
        daemon.get("/readyz")
    except Problem as problem:
        state = next(c for c in problem.body["checks"] if c["name"] == "state directory")
        check(problem.status == 503 and problem.body["ready"] is False, f"{problem}")
        check(not state["ok"] and state["detail"].endswith(detail) and state["advice"], f"{state}")
        others = [c for c in problem.body["checks"] if not c["ok"] and c is not state]
        check(not others, f"{others}")
        return
    check(False, "it is ready")


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as fault:
            check(fault.errno == errno.ENOSPC, f"{fault}")


def a_full_state_directory_is_told_of_and_a_test_goes_on():
    if subprocess.run([*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode != 0:
        return "not looked at: this user may mount nothing"
    with Daemon(state_mib=4) as daemon:
        going, other = Going(daemon), Going(daemon)
        going.goes_on()
        check(daemon.get("/readyz")["ready"], "not ready with room")
        fill(daemon.state_dir())
        not_ready(daemon, "is full")
        going.goes_on()
        check(other.end()["verdict"], "one that ends meanwhile has no report")
        (daemon.state_dir() / "filler").unlink()
        check(daemon.get("/readyz")["ready"], "not ready when there was room again")
        report = going.end()
        return f"{report['sent']['packets']} packets, none missing"


def a_state_directory_that_is_gone_is_told_of_and_a_test_goes_on():
    with Daemon() as daemon:
        going = Going(daemon)
        going.goes_on()
        shutil.rmtree(daemon.home / "state")
        not_ready(daemon, "cannot be written")
        going.goes_on()
        report = going.end()
        return f"{report['sent']['packets']} packets, none missing"


if __name__ == "__main__":
    main(what_the_doctor_measures_decides_who_is_admitted, a_full_state_directory_is_told_of_and_a_test_goes_on,
         a_state_directory_that_is_gone_is_told_of_and_a_test_goes_on)
