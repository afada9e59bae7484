#!/usr/bin/env python3
"""Sends the requests of a trace to a controller, each at its time, as streams.

drive-trace.py SERVER TRACE MODEL --rate R --seconds S --bytes-per-token B

TRACE: CSV with arrival_s, prompt_tokens, output_tokens. Times are divided by R; what comes after S
seconds of this clock is left out. Prints how many were sent and how many were answered whole.
"""
import argparse
import asyncio
import csv
import json
import random
import sys
import urllib.parse


def rows(path, rate, seconds):
    with open(path, newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            at = float(row["arrival_s"]) / rate
            if at > seconds:
                return
            yield at, int(row["prompt_tokens"]), max(int(row["output_tokens"]), 1)


def body_of(model, prompt, output, bytes_per_token, chance):
    # Different texts, so that no cache takes one for the other.
    size = max(int(prompt * bytes_per_token), 1)
    text = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=size))
    return json.dumps({"model": model, "stream": True, "max_tokens": output, "ignore_eos": True,
                       "stream_options": {"include_usage": True},
                       "messages": [{"role": "user", "content": text}]}).encode()


async def send(host, port, body):
    try:
        reader, writer = await asyncio.open_connection(host, port)
        head = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        writer.write(head.encode() + body)
        answer_head, tail = b"", b""
        while True:
            data = await reader.read(65536)
            if not data:
                break
            answer_head = answer_head or data
            tail = (tail + data)[-200:]
        writer.close()
        return answer_head.startswith(b"HTTP/1.1 200") and b"[DONE]" in tail
    except OSError:
        return False


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("trace")
    parser.add_argument("model")
    parser.add_argument("--rate", type=float, default=1)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--bytes-per-token", type=float, default=4)
    args = parser.parse_args()
    url = urllib.parse.urlparse(args.server)
    chance = random.Random(1)
    tasks = []
    clock = asyncio.get_running_loop().time
    start = clock()
    for at, prompt, output in rows(args.trace, args.rate, args.seconds):
        body = body_of(args.model, prompt, output, args.bytes_per_token, chance)
        await asyncio.sleep(max(start + at - clock(), 0))
        tasks.append(asyncio.create_task(send(url.hostname, url.port, body)))
    whole = sum(await asyncio.gather(*tasks))
    print(f"{len(tasks)} sent, {whole} answered whole")
    return 0 if whole >= 0.95 * len(tasks) else 1


sys.exit(asyncio.run(main()))
