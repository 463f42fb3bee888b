#!/usr/bin/env python3
"""With `--ice-policy relay` a viewer comes through the TURN server that the environment names, and in no other way."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from bed import Daemon, check, main
from viewers import begin, has_aiortc, watch

SERVER = shutil.which("turnserver")


class Turn:
    """coturn on a free port of loopback."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="avchaos-turn-"))
        self.log = open(self.home / "log", "w+")
        self.process = subprocess.Popen(
            [SERVER, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={self.port}",
             "--lt-cred-mech", "--user=me:secret", "--realm=bed.local", "--allow-loopback-peers", "--no-cli", "--no-tls",
             "--no-dtls", "--no-multicast-peers", "--fingerprint", f"--userdb={self.home}/db",
             f"--pidfile={self.home}/pid", "--log-file=stdout", "--simple-log", *self.options],
            stdout=self.log, stderr=subprocess.STDOUT)
        time.sleep(1)
        check(self.process.poll() is None, "coturn has ended")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


def relayed_by(turn):
    with turn, Daemon("--ice-policy", "relay", env={"TURN_HOST": f"127.0.0.1:{turn.port}", "TURN_USERNAME": "me",
                                                    "TURN_PASSWORD": "secret"}) as daemon:
        result = watch(daemon, begin(daemon), "whep", 4)
        candidates = [line for line in result["answer"].splitlines() if line.startswith("a=candidate")]
        check(candidates and all(" typ relay " in line for line in candidates), f"candidates {candidates}")
        check(result["frames"]["video"] > 60 and sum(result["lost"].values()) == 0, f"{result['frames']} {result['lost']}")
    return f"{sum(result['received'].values())} packets through {candidates[0].split()[4]}:{candidates[0].split()[5]}"


def media_is_relayed():
    return relayed_by(Turn())


def where_udp_is_shut_the_server_is_reached_by_tcp():
    return relayed_by(Turn("--no-udp"))


def a_wrong_password_leaves_no_candidates():
    with Turn() as turn, Daemon("--ice-policy", "relay", env={"TURN_HOST": f"127.0.0.1:{turn.port}",
                                                             "TURN_USERNAME": "me",
                                                             "TURN_PASSWORD": "wrong"}) as daemon:
        test = begin(daemon)
        offer = daemon.get(f"/api/v1/test/{test}/sdp/1001")
        check("a=candidate" not in offer["sdp_offer"], "there are candidates without a server")
        check(daemon.get(f"/api/v1/test/{test}/participants")["participants"][0]["state"] == "connecting", "not there")


for missing, why in ((SERVER is None, "coturn"), (not has_aiortc(), "python3-aiortc")):
    if missing:
        print(f"skipped: Debian's {why} is not installed")
        raise SystemExit(77)
main(media_is_relayed, where_udp_is_shut_the_server_is_reached_by_tcp, a_wrong_password_leaves_no_candidates)
