"""What the tests of publications share: whip_endpoint.py as a process, and tests whose participants publish to it."""
import json
import subprocess
import time
import urllib.request

from bed import SOURCE, check
from viewers import PYTHON, SMALL


class Endpoint:
    def __init__(self, busy=0, troubles=None):
        self.process = subprocess.Popen([PYTHON, SOURCE / "tests" / "peers" / "whip_endpoint.py", "secret", str(busy),
                                         json.dumps(troubles or {})],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        check(self.url, "the endpoint does not start")

    def told(self):
        with urllib.request.urlopen(self.url, timeout=15) as answer:
            return json.loads(answer.read())

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def publish(daemon, endpoint, token="secret", **scenario):
    target = {"transport": "whip", "url": endpoint.url + "/whip/{room}/{id}", "token": token}
    test = daemon.post("/api/v1/test/create", {"target": target, "decision_log": True, "duration_seconds": 120,
                                               **SMALL, **scenario})["test_id"]
    daemon.post(f"/api/v1/test/{test}/start")
    return test


def of_participant(daemon, test, participant):
    return daemon.get(f"/api/v1/test/{test}/participants/{participant}")


def until(daemon, test, participants, state, seconds=30):
    end = time.monotonic() + seconds
    for participant in participants:
        while (told := of_participant(daemon, test, participant))["state"] != state:
            check(time.monotonic() < end, f"{participant} is {told['state']}: {told.get('reason')}")
            time.sleep(0.1)


def until_deleted(endpoint, number):
    end = time.monotonic() + 10
    while sum(one["deleted"] for one in endpoint.told()["sessions"].values()) < number:
        check(time.monotonic() < end, f"{endpoint.told()['sessions']}")
        time.sleep(0.1)
