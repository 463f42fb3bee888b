#!/usr/bin/env python3
"""A client of the tool that came before: its routes, field names, omissions and status codes, and its config.json."""
import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.request

from bed import BUILD, Daemon, Problem, Receiver, check, main


def status_of(daemon, method, path, body=None):
    try:
        daemon.call(method, path, body)
    except Problem as problem:
        check(problem.headers.get_content_type() == "application/problem+json", f"{path}: {problem.headers}")
        check(problem.body["status"] == problem.status and problem.body["detail"], f"{path}: {problem.body}")
        return problem.status
    return 200


def the_old_calls_work_unchanged():
    receiver = Receiver()
    with Daemon(env={"UDP_TARGET_HOST": "127.0.0.1", "UDP_TARGET_PORT": str(receiver.port)}) as daemon:
        check(daemon.get("/healthz") | {} == {"partition_id": 0, "status": "healthy", "total_partitions": 1},
              f"healthz says {daemon.get('/healthz')}")
        made = daemon.post("/api/v1/test/create", {
            "test_id": "chaos_test_1", "num_participants": 3,
            "video": {"width": 1280, "height": 720, "fps": 30, "bitrate_kbps": 2500, "codec": "h264"},
            "audio": {"sample_rate": 48000, "channels": 1, "bitrate_kbps": 128, "codec": "opus"},
            "duration_seconds": 60, "backend_rtp_base_port": "5000"})
        check(made["test_id"] == "chaos_test_1" and made["backend_port_start"] == 5000
              and made["backend_port_end"] == 5002, f"create said {made}")
        check([p["participant_id"] for p in made["participants"]] == [1001, 1002, 1003], f"{made['participants']}")
        check(daemon.get("/api/v1/test/chaos_test_1")["state"] == "created", "not created")
        check(status_of(daemon, "POST", "/api/v1/test/chaos_test_1/spike",
                        {"spike_id": "s", "type": "frame_drop",
                         "params": {"drop_percentage": "10"}}) == 409, "a spike before the start")
        started = daemon.post("/api/v1/test/chaos_test_1/start")
        check(started["started"] and abs(started["start_time_unix_ms"] / 1e3 - time.time()) < 60, f"{started}")
        check(status_of(daemon, "POST", "/api/v1/test/chaos_test_1/start", {}) == 409, "a second start")
        daemon.wait_for("chaos_test_1", "running")
        time.sleep(2)
        injected = daemon.post("/api/v1/test/chaos_test_1/spike", {
            "spike_id": "loss-1", "type": "rtp_packet_loss", "participant_ids": [1001], "duration_seconds": 30,
            "params": {"loss_percentage": "50", "pattern": "random"}})
        check(injected["injected"] and injected["participants"] == 1, f"{injected}")
        unknown = daemon.post("/api/v1/test/chaos_test_1/spike", {
            "spike_id": "loss-2", "type": "rtp_packet_loss", "participant_ids": [1002, 4711], "duration_seconds": 1,
            "params": {"loss_percentage": "1"}})
        check(unknown["participants"] == 1 and "4711" in json.dumps(unknown["warnings"]), f"{unknown}")
        time.sleep(2)
        told = daemon.get("/api/v1/test/chaos_test_1/metrics")
        check(told["aggregate"]["total_packets_sent"] > 500, f"{told['aggregate']}")
        by_id = {p["participant_id"]: p for p in told["participants"]}
        check(by_id[1001].get("packet_loss_percent", 0) > 20 and by_id[1001]["active_spike_count"] == 1,
              f"{by_id[1001]}")
        check("packet_loss_percent" not in by_id[1003] and "active_spike_count" not in by_id[1003], f"{by_id[1003]}")
        text = daemon.get("/api/v1/test/chaos_test_1/metrics?format=prometheus") + daemon.get("/metrics")
        for name in ("rtp_packets_sent_total", "rtp_jitter_ms", "rtp_packet_loss_percent", "rtp_mos_score",
                     "rtp_test_state", "rtp_active_participants", "av_chaos_monkey_packets_sent_total"):
            check(f"\n{name}{{" in text, f"{name} is not exported")
        stopped = daemon.post("/api/v1/test/chaos_test_1/stop")
        check(stopped["stopped"] and stopped["final_metrics"]["test_id"] == "chaos_test_1", f"{stopped}")
        check(daemon.get("/api/v1/test/chaos_test_1")["state"] == "stopped", "not stopped")
        faults = [(404, "GET", "/api/v1/test/nobody", None), (404, "POST", "/api/v1/test/nobody/start", {}),
                  (400, "POST", "/api/v1/test/create", "{not json"), (400, "POST", "/api/v1/test/create", ""),
                  (404, "GET", "/nothing/here", None), (405, "DELETE", "/healthz", None),
                  (400, "POST", "/api/v1/test/create", {"num_participants": -1e30}),
                  (409, "POST", "/api/v1/test/chaos_test_1/spike", {"spike_id": "x", "type": "frame_drop", "params": {"drop_percentage": "10"}}),
                  (409, "GET", "/api/v1/test/chaos_test_1/sdp/1001", None),
                  (409, "POST", "/api/v1/test/chaos_test_1/answer/1001", {"sdp_answer": "v=0"}),
                  (409, "POST", "/api/v1/test/chaos_test_1/ice/1001", {"candidate": "x"}),
                  (413, "POST", "/api/v1/test/create", " " * ((1 << 20) + 1))]
        for wanted, method, path, body in faults:
            got = status_of(daemon, method, path, body)
            check(got == wanted, f"{method} {path} answered {got}, not {wanted}")
        plain = urllib.request.Request(daemon.url + "/api/v1/test/nobody", headers={"Accept": "text/plain"})
        try:
            urllib.request.urlopen(plain, timeout=10)
        except urllib.error.HTTPError as e:
            check(e.headers.get_content_type() == "text/plain" and e.read().count(b"\n") == 1, "not one plain line")
        check(daemon.get("/healthz")["status"] == "healthy", "the daemon suffered")
    check(len(receiver.close()) > 500, "nothing arrived")


def the_old_config_file_runs():
    config = {"base_url": "http://localhost:9", "media_path": "", "num_participants": 5, "duration_seconds": 6,
              "spikes": {"count": 4, "interval_seconds": 1, "duration_seconds_min": 1, "duration_seconds_max": 2,
                         "types": {"rtp_packet_loss": {"weight": 20, "params": {
                                       "loss_percentage_min": 20, "loss_percentage_max": 30,
                                       "patterns": ["random", "burst"]}},
                                   "network_jitter": {"weight": 50, "params": {
                                       "base_latency_ms_min": 50, "base_latency_ms_max": 150,
                                       "jitter_std_dev_ms_min": 10, "jitter_std_dev_ms_max": 30}},
                                   "frame_drop": {"weight": 15, "params": {
                                       "drop_percentage_min": 10, "drop_percentage_max": 60}}},
                         "participant_selection": {"single_weight": 40, "multiple_weight": 35, "all_weight": 25,
                                                   "multiple_count_min": 2, "multiple_count_max": 5}},
              "spike_distribution": {"strategy": "even", "min_spacing_seconds": 1, "jitter_percent": 15},
              "metrics": {"display_interval_seconds": 2}}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "config.json"
        path.write_text(json.dumps(config))
        done = subprocess.run([BUILD / "tools" / "avchaos", "run", "-config", path, "--seed", "4", "--report-dir",
                               pathlib.Path(folder) / "out"], capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL, env={**os.environ, "XDG_CACHE_HOME": f"{folder}/cache"})
        check(done.returncode == 0, f"exit {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        report = json.loads((pathlib.Path(folder) / "out" / "report.json").read_text())
    check(len(report["spikes"]) == 4, f"{len(report['spikes'])} spikes")
    check(all(s["state"] == "ended" and s["participants"] > 0 for s in report["spikes"]), f"{report['spikes']}")


main(the_old_calls_work_unchanged, the_old_config_file_runs)
