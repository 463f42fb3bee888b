#!/usr/bin/env python3
"""Real files in, real pictures out: an mp4 with B-frames and AAC, and a WebM, each played by ten participants; ffmpeg,
given an SDP file, decodes one of them; picture and sync are compared with the source."""
import pathlib
import subprocess
import tempfile

from bed import Daemon, Receiver, by_stream, check, main
from media_tools import decode_errors, decode_live, psnr

SECONDS, FPS = 6, 25


def make_source(folder, name):
    """A moving test picture with a beep; 25 frames/s."""
    path = pathlib.Path(folder) / name
    codecs = {"b_frames.mp4": ["-c:v", "libx264", "-bf", "3", "-g", "50", "-b:v", "1500k", "-c:a", "aac"],
              "vp8.webm": ["-c:v", "libvpx", "-b:v", "1500k", "-deadline", "realtime", "-c:a", "libvorbis"]}[name]
    subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=size=640x360:rate={FPS}",
                    "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=44100", "-t", str(SECONDS),
                    "-pix_fmt", "yuv420p", *codecs, path], check=True, stdin=subprocess.DEVNULL)
    return path


def play(name):
    with tempfile.TemporaryDirectory() as folder:
        source = make_source(folder, name)
        receiver = Receiver()
        with Daemon(media_dir=folder, env={"AVCHAOS_CACHE_DIR": f"{folder}/cache"}) as daemon:
            daemon.run({"num_participants": 10, "duration_seconds": SECONDS + 3, "seed": 3,
                        "media": {"path": str(source)},
                        "target": {"transport": "udp", "host": "127.0.0.1", "port": receiver.port}})
        streams = by_stream(receiver.close())
        check(len(streams) == 20, f"{len(streams)} streams")
        video, audio = streams[1004000], streams[1004001]
        output = pathlib.Path(folder) / "received.mkv"
        complaints = decode_live(video, audio, output, SECONDS)
        check("error" not in complaints.lower() and "missed" not in complaints, f"ffmpeg said: {complaints}")
        errors, frames = decode_errors(output)
        check(not errors, f"decoding said: {errors}")
        sent = len({p.timestamp for p in video})
        check(frames >= SECONDS * FPS - 5 and sent >= frames, f"{frames} of {sent} frames decoded")
        quality = psnr(output, source, SECONDS * FPS - 10)
        check(quality > 30, f"PSNR {quality:.1f} dB")
        skew = sync_error(video, audio)
        check(abs(skew) < 0.020, f"audio and video are {skew * 1e3:.1f} ms apart")
        return f"{frames} frames decoded, none with an error; PSNR {quality:.1f} dB; A/V skew {skew * 1e3:.1f} ms"


def sync_error(video, audio):
    """Audio clock minus video clock, both from RTP timestamps against arrival, start to end (drift), in seconds."""
    def drift(stream, rate):
        span = ((stream[-1].timestamp - stream[0].timestamp) & 0xFFFFFFFF) / rate
        return span - (stream[-1].at - stream[0].at)
    return drift(audio, 48000) - drift(video, 90000)


def mp4_with_b_frames_and_aac():
    return play("b_frames.mp4")


def webm_with_vp8_and_vorbis():
    return play("vp8.webm")


main(mp4_with_b_frames_and_aac, webm_with_vp8_and_vorbis, at_once=2)
