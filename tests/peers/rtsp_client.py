"""An RTSP client in Python's standard library (RFC 2326): asks, sets both streams up over UDP or interleaved, and keeps
the RTP packets it gets. It can also be one that stops reading."""
import base64
import re
import socket
import threading
import time

from bed import parse_rtp


class Refused(Exception):
    def __init__(self, status, headers):
        super().__init__(str(status))
        self.status, self.headers = status, headers


class Client:
    def __init__(self, url, user=None):
        """`user`: (name, password), for Basic authentication."""
        self.url, self.user = url, user
        host, port = re.match(r"rtsp://([^:/]+):(\d+)", url).groups()
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.file = self.socket.makefile("rb")
        self.number, self.session, self.packets = 0, None, []
        self.sockets, self.threads, self.stop = [], [], threading.Event()

    def ask(self, method, url=None, headers=(), body=""):
        """The reply's (headers, body); Refused where it is no 200."""
        self.number += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self.number}", *headers]
        if self.session:
            lines.append(f"Session: {self.session}")
        if self.user:
            lines.append("Authorization: Basic " + base64.b64encode(":".join(self.user).encode()).decode())
        if body:
            lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        return self.reply()

    def reply(self):
        while True:
            line = self.file.readline()
            if not line:
                raise EOFError("the server has closed the connection")
            if line.startswith(b"RTSP/1.0"):
                break
        status, headers = int(line.split()[1]), {}
        while line := self.file.readline().strip().decode():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self.file.read(int(headers.get("content-length", 0))).decode()
        if status != 200:
            raise Refused(status, headers)
        if "session" in headers:
            self.session = headers["session"].split(";")[0]
        return headers, body

    def describe(self):
        return self.ask("DESCRIBE", headers=["Accept: application/sdp"])[1]

    def play(self, transport):
        """`transport`: "udp" or "tcp". Packets are kept from here on; gives the description."""
        sdp = self.describe()
        for index, control in enumerate(re.findall(r"^m=.*?^a=control:(\S+)", sdp, re.M | re.S)):
            wanted = f"RTP/AVP/TCP;unicast;interleaved={2 * index}-{2 * index + 1}"
            if transport == "udp":
                wanted = f"RTP/AVP;unicast;client_port={self.listen()}"
            self.ask("SETUP", control if control.startswith("rtsp:") else f"{self.url}/{control}",
                     [f"Transport: {wanted}"])
        self.ask("PLAY", headers=["Range: npt=0-"])
        return sdp

    def listen(self):
        """A pair of ports of which the first, an even one, is read."""
        while True:
            pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            try:
                pair[0].bind(("127.0.0.1", 0))
                port = pair[0].getsockname()[1]
                if port % 2 == 0:
                    pair[1].bind(("127.0.0.1", port + 1))
                    break
            except OSError:
                pass
            for one in pair:
                one.close()
        pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        pair[0].settimeout(0.1)
        self.sockets += pair
        thread = threading.Thread(target=self.read_udp, args=(pair[0],), daemon=True)
        thread.start()
        self.threads.append(thread)
        return f"{port}-{port + 1}"

    def read_udp(self, one):
        while not self.stop.is_set():
            try:
                self.keep(one.recv(65536))
            except TimeoutError:
                pass

    def read_tcp(self, seconds):
        """Interleaved packets, until the time is up or the server has closed; gives whether it is still there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            head = self.file.read(4)
            if len(head) < 4 or head[:1] != b"$":
                return False
            data = self.file.read(int.from_bytes(head[2:], "big"))
            if head[1] % 2 == 0:
                self.keep(data)
        return True

    def keep(self, data):
        packet = parse_rtp(data, time.time())
        if packet:
            self.packets.append(packet)

    def close(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        for one in (*self.sockets, self.socket):
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
