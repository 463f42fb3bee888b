"""Decoding of what a receiver recorded, with ffmpeg and GStreamer as strangers to the product."""
import contextlib
import pathlib
import re
import socket
import struct
import subprocess
import tempfile
import time


def write_pcap(path, packets, raw, port):
    """Datagrams as a capture of loopback Ethernet frames."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at, data in raw:
            udp = struct.pack(">HHHH", 5000, port, 8 + len(data), 0) + data
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes((127, 0, 0, 1)),
                             bytes((127, 0, 0, 1)))
            frame = bytes(12) + b"\x08\x00" + ip + udp
            f.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame)


def rebuild(packet):
    """A minimal RTP packet again: the same header fields without the extension."""
    return struct.pack(">BBHII", 0x80, packet.pt | packet.marker << 7, packet.seq, packet.timestamp,
                       packet.ssrc) + packet.payload


def opus_loudness_db(stream, start, end):
    """Mean volume in dBFS that GStreamer's Opus decoder hears between two media times (s) of an audio stream."""
    first = stream[0].timestamp
    chosen = [p for p in stream if start <= ((p.timestamp - first) & 0xFFFFFFFF) / 48000 < end]
    with tempfile.TemporaryDirectory() as folder:
        capture, wave = pathlib.Path(folder) / "a.pcap", pathlib.Path(folder) / "a.wav"
        write_pcap(capture, chosen, [(p.at, rebuild(p)) for p in chosen], 5004)
        subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={capture}", "!", "pcapparse", "dst-port=5004", "!",
                        "application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111", "!",
                        "rtpopusdepay", "!", "opusdec", "plc=false", "!", "audioconvert", "!", "wavenc", "!",
                        "filesink", f"location={wave}"], check=True, timeout=30, stdin=subprocess.DEVNULL)
        out = subprocess.run(["ffmpeg", "-hide_banner", "-i", wave, "-af", "volumedetect", "-f", "null", "-"],
                             check=True, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL).stderr
    found = re.search(r"mean_volume: (-?[\d.]+|-inf) dB", out)
    return float(found.group(1)) if found else float("-inf")


PORTS = iter(range(20000, 40000, 4))  # each is tried once: whoever is given some binds them later


def free_ports():
    """Four UDP ports in a row, the first of them even: RTP and RTCP of two streams."""
    for first in PORTS:
        with contextlib.ExitStack() as sockets:
            try:
                for port in range(first, first + 4):
                    sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no free ports")


def decode_live(video, audio, output, seconds):
    """Replays two streams at their recorded pace to ffmpeg, which knows an SDP file only; returns its complaints.
    The output keeps every frame (H.264 and Opus copied) after a decode of the whole as ffmpeg's judgement."""
    video_port = free_ports()
    audio_port = video_port + 2
    folder = pathlib.Path(output).parent
    sdp = folder / "peer.sdp"
    sdp.write_text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=participant\nc=IN IP4 127.0.0.1\nt=0 0\n"
                   f"m=video {video_port} RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1\n"
                   f"m=audio {audio_port} RTP/AVP 111\na=rtpmap:111 opus/48000/2\n")
    ffmpeg = subprocess.Popen(
        ["ffmpeg", "-hide_banner", "-loglevel", "warning", "-y", "-protocol_whitelist", "file,udp,rtp",
         "-reorder_queue_size", "0", "-buffer_size", "8000000", "-analyzeduration", "1500000", "-i", sdp,
         "-map", "0:v", "-map", "0:a", "-c", "copy", "-t", str(seconds), output],
        stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    time.sleep(1)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    todo = sorted([(p.at, video_port, rebuild(p)) for p in video] + [(p.at, audio_port, rebuild(p)) for p in audio])
    start, origin = time.monotonic(), todo[0][0]
    for at, port, data in todo:
        wait = start + (at - origin) - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        sender.sendto(data, ("127.0.0.1", port))
        if ffmpeg.poll() is not None:
            break
    try:
        ffmpeg.wait(10)
    except subprocess.TimeoutExpired:
        ffmpeg.terminate()
        ffmpeg.wait(10)
    return ffmpeg.stderr.read()


def decode_errors(path):
    """What ffmpeg says while decoding a file strictly, and how many video frames it decoded."""
    done = subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "warning", "-err_detect", "explode", "-i", path,
                           "-map", "0:v", "-fps_mode", "passthrough", "-progress", "-", "-f", "null", "-"],
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    frames = re.findall(r"^frame=(\d+)", done.stdout, re.M)
    return done.stderr, int(frames[-1]) if frames else 0


def thumbnails(path):
    """Every frame of a file as 64x36 grey bytes."""
    raw = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-vf",
                          "scale=64:36,format=gray", "-f", "rawvideo", "-"], check=True, capture_output=True,
                         timeout=120, stdin=subprocess.DEVNULL).stdout
    return [raw[i:i + 64 * 36] for i in range(0, len(raw), 64 * 36)]


def first_frame_in(received, source):
    """The number of the source's frame that a recording begins with: participants start at different keyframes."""
    first = thumbnails(received)[0]
    distance = [sum((a - b) ** 2 for a, b in zip(first, frame)) for frame in thumbnails(source)]
    return distance.index(min(distance))


def psnr(received, source, frames):
    """Average PSNR (dB) over the first frames of a recording of a looped source, paired by number."""
    start = first_frame_in(received, source)
    pair = (f"[0:v]setpts=N/25/TB,trim=end_frame={frames}[a];"
            f"[1:v]setpts=N/25/TB,trim=start_frame={start}:end_frame={start + frames},setpts=PTS-STARTPTS[b];"
            "[b][a]scale2ref[b2][a2];[a2][b2]psnr")
    out = subprocess.run(["ffmpeg", "-hide_banner", "-i", received, "-stream_loop", "1", "-i", source, "-lavfi", pair,
                          "-fps_mode", "passthrough", "-f", "null", "-"], capture_output=True, text=True, timeout=120,
                         stdin=subprocess.DEVNULL).stderr
    return float(re.search(r"average:([\d.]+|inf)", out).group(1))
