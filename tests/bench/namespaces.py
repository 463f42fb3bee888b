"""Two network namespaces with a veth pair between them, for as long as a with statement lasts. Needs root."""
import os
import shutil
import subprocess


def why_not():
    """Why there can be no namespaces here; nothing if there can."""
    if os.geteuid() != 0:
        return "namespaces need root"
    if not shutil.which("ip"):
        return "there is no `ip` (package iproute2)"
    probe = f"avcb-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    if made.returncode != 0:
        return f"ip netns add: {made.stderr.strip()}"
    ip("netns", "del", probe)
    return None


def ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True, text=True)


class VethPair:
    """`sender` and `receiver` name the namespaces, `address` is the receiver's."""

    def __init__(self):
        number = os.getpid()
        self.sender, self.receiver = f"avcb-s-{number}", f"avcb-r-{number}"
        self.network = f"10.213.{number % 256}"
        self.address = f"{self.network}.2"
        self.made = []

    def __enter__(self):
        try:
            for name in (self.sender, self.receiver):
                ip("netns", "add", name)
                self.made.append(name)
            ip("link", "add", "avcb0", "netns", self.sender, "type", "veth", "peer", "name", "avcb0", "netns",
               self.receiver)
            for name, last in ((self.sender, 1), (self.receiver, 2)):
                ip("-n", name, "addr", "add", f"{self.network}.{last}/30", "dev", "avcb0")
                ip("-n", name, "link", "set", "avcb0", "up")
                ip("-n", name, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure):
        for name in self.made:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def inside(namespace):
    """What a command line begins with to run in there."""
    return ["ip", "netns", "exec", namespace] if namespace else []
