"""Janus in a network namespace of the test's own, a WHIP bridge to its VideoRoom, and as much of its API as these need:
https://janus.conf.meetecho.com/docs/rest.html, https://janus.conf.meetecho.com/docs/videoroom.html."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS, API, ROOM = "10.99.0.1", "http://127.0.0.1:8088/janus", 1234

# Everything that listens does so in the namespace. Sessions last as long as their handles: nobody polls all the time.
CORE = f"""general: {{ debug_level = 3, interface = "127.0.0.1", session_timeout = 0 }}
media: {{ ipv6 = false, rtp_port_range = "20000-29999" }}
nat: {{ ice_enforce_list = "{ADDRESS}", ice_tcp = false, ignore_mdns = true, full_trickle = false }}
transports: {{ disable = "libjanus_websockets.so,libjanus_pfunix.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_rabbitmq.so" }}
"""
HTTP = 'general: { json = "compact", base_path = "/janus", http = true, port = 8088, ip = "127.0.0.1", https = false }\n'
VIDEOROOM = (f'room-{ROOM}: {{ description = "peers", publishers = 100, bitrate = 0, fir_freq = 0, '
             'videocodec = "h264", audiocodec = "opus" }\n')


def enter_namespace():
    """Runs this program again where nothing can leave: loopback, and an address that Janus takes, which it does not do
    with loopback's. Returns in there only; ends with 77 where there can be none."""
    if os.environ.get("AVCHAOS_NAMESPACE") == "1":
        for words in ("link set lo up", "link add avcj0 type veth peer name avcj1", f"addr add {ADDRESS}/24 dev avcj0",
                      "link set avcj0 up", "link set avcj1 up"):
            subprocess.run(["ip", *words.split()], check=True)
        return
    unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    probe = subprocess.run([*unshare, "ip", "link", "add", "avcj0", "type", "veth", "peer", "name", "avcj1"],
                           capture_output=True, text=True)
    if probe.returncode != 0:
        print(f"skipped: no network namespace can be made: {probe.stderr.strip()}")
        raise SystemExit(77)
    os.execvpe("unshare", [*unshare, sys.executable, *sys.argv], {**os.environ, "AVCHAOS_NAMESPACE": "1"})


class Server:
    def __enter__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="avchaos-janus-"))
        for name, text in (("janus", CORE), ("janus.transport.http", HTTP), ("janus.plugin.videoroom", VIDEOROOM)):
            (self.home / f"{name}.jcfg").write_text(text)
        self.log = open(self.home / "log", "w+")
        self.process = subprocess.Popen(["janus", "-F", self.home], stdout=self.log, stderr=subprocess.STDOUT)
        end = time.monotonic() + 20
        while True:
            try:
                Session().end()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.__exit__(None)
                    raise RuntimeError("Janus does not start") from None
                time.sleep(0.1)

    def __exit__(self, failure, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if failure:
            self.log.seek(0)
            print(self.log.read()[-4000:])
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=40) as got:
        return json.loads(got.read())


class Session:
    """A session with one handle of the VideoRoom plugin."""

    def __init__(self):
        self.url = f"{API}/{self.command(API, 'create')['data']['id']}"
        self.handle = None

    @staticmethod
    def command(url, what, **more):
        transaction = f"{random.getrandbits(64):x}"
        reply = call(url, {"janus": what, "transaction": transaction, **more})
        if reply["janus"] == "error":
            raise RuntimeError(f"{what}: {reply['error']}")
        return {**reply, "transaction": transaction}

    def room(self, request, jsep=None, **body):
        """Returns (data, jsep) of the plugin's reply, which may come as an event."""
        if self.handle is None:
            made = self.command(self.url, "attach", plugin="janus.plugin.videoroom")
            self.handle = f"{self.url}/{made['data']['id']}"
        more = {"jsep": jsep} if jsep else {}
        reply = self.command(self.handle, "message", body={"request": request, **body}, **more)
        transaction, end = reply["transaction"], time.monotonic() + 20
        while reply["janus"] == "ack" or reply.get("transaction") != transaction:
            if time.monotonic() > end:
                raise RuntimeError(f"no answer to {request}")
            reply = call(self.url + "?maxev=1")
        data = reply["plugindata"]["data"]
        if "error" in data:
            raise RuntimeError(f"{request}: {data['error']}")
        return data, reply.get("jsep")

    def end(self):
        self.command(self.url, "destroy")


class Bridge:
    """A WHIP endpoint: every session that it makes publishes into the room under the number in the URL."""

    def __enter__(self):
        self.sessions, self.deleted, bridge = {}, set(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, body="", content_type="text/plain", **headers):
                self.send_response(status)
                for name, value in {**headers, "Content-Type": content_type, "Content-Length": len(body)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_OPTIONS(self):
                self.reply(204)

            def do_POST(self):
                offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
                number = int(self.path.rpartition("/")[2])
                try:
                    answer = bridge.publish(number, offer)
                except RuntimeError as why:
                    return self.reply(409, str(why))
                return self.reply(201, answer, "application/sdp", Location=f"/session/{number}", ETag='"1"')

            def do_DELETE(self):
                number = int(self.path.rpartition("/")[2])
                if number not in bridge.sessions:
                    return self.reply(404)
                bridge.sessions.pop(number).end()
                bridge.deleted.add(number)
                return self.reply(200)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def publish(self, number, offer):
        session = Session()
        session.room("join", ptype="publisher", room=ROOM, id=number)
        _, jsep = session.room("configure", {"type": "offer", "sdp": offer}, audio=True, video=True)
        self.sessions[number] = session
        return jsep["sdp"]

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def publishers():
    session = Session()
    try:
        data, _ = session.room("listparticipants", room=ROOM)
        return sorted(one["id"] for one in data["participants"] if one["publisher"])
    finally:
        session.end()
