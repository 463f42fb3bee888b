"""A headless Chromium on loopback, driven over its debugging pipe with the standard library alone."""
import json
import os
import shutil
import subprocess
import tempfile

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe",
         # both are needed: without them it offers no loopback address, and hides those that it has
         "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"]


class Chromium:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="avchaos-chromium-")
        theirs_in, self.to = os.pipe()
        self.come, theirs_out = os.pipe()

        def give_pipes():  # it reads 3 and writes 4; neither of ours may be in the way
            spare_in, spare_out = os.dup2(theirs_in, 103), os.dup2(theirs_out, 104)
            os.dup2(spare_in, 3)
            os.dup2(spare_out, 4)

        self.process = subprocess.Popen([PROGRAM, *FLAGS, f"--user-data-dir={self.home}", "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=give_pipes,
                                        env={**os.environ, "HOME": self.home})
        os.close(theirs_in)
        os.close(theirs_out)
        self.number, self.unread, self.session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session = None
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except Exception:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.come)
        shutil.rmtree(self.home, ignore_errors=True)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.unread:
                part = os.read(self.come, 1 << 20)
                if not part:
                    raise RuntimeError("Chromium has gone")
                self.unread += part
            text, _, self.unread = self.unread.partition(b"\0")
            reply = json.loads(text)
            if reply.get("id") != self.number:
                continue
            if "error" in reply:
                raise RuntimeError(f"{method}: {reply['error']}")
            return reply["result"]

    def visit(self, url):
        self.call("Page.navigate", url=url)
        self.run("new Promise(done => document.readyState == 'complete' ? done(0) : addEventListener('load', done))")

    def run(self, script):
        """The value that the script's promise comes to."""
        reply = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(json.dumps(reply["exceptionDetails"])[:2000])
        return reply["result"].get("value")
