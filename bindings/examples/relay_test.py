# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs the example relay (argv[1]) in each mode: with pauses longer than its thread stays awake, and with a reader that is slow."""

import os
import re
import subprocess
import sys
import threading
import time

program = sys.argv[1]
patience_s = 20
#: What a mode may become on an older kernel.
KINDS = {"defer": ("defer", "coop", "plain"), "sqpoll": ("sqpoll", "plain")}


def relay(mode: str, pieces: list[bytes], pause_s: float, slow: bool) -> str:
    """Passes the pieces through, and returns what the program says at the end."""
    process = subprocess.Popen(
        [program, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin and process.stdout and process.stderr
    got = b""

    def write() -> None:
        assert process.stdin
        for piece in pieces:
            process.stdin.write(piece)
            process.stdin.flush()
            time.sleep(pause_s)
        process.stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    while part := os.read(process.stdout.fileno(), 5000 if slow else 1 << 20):
        got += part
        time.sleep(0.001 if slow else 0)
    writer.join()
    said = process.stderr.read().decode()
    assert process.wait(patience_s) == 0, said
    assert got == b"".join(pieces), f"{len(got)} bytes came, or others than those sent"
    process.stdout.close()
    process.stderr.close()
    return said


for mode, kinds in KINDS.items():
    text = relay(mode, [os.urandom(10_000) for _ in range(4)], pause_s=0.15, slow=False)
    found = re.fullmatch(
        r"40000 bytes with a ring of kind (\w+), (\d+) waits, (\d+) of them for nothing\n", text
    )
    assert found and found[1] in kinds, text
    assert int(found[3]) > 0, f"pauses of 150 ms, and no wait of 100 ms was for nothing: {text}"
    relay(mode, [os.urandom(1_000_000)], pause_s=0, slow=True)
    relay(mode, [], pause_s=0, slow=False)
    print(mode, "->", found[1])

wrong = subprocess.run([program, "fast"], capture_output=True, text=True, check=False)
assert (wrong.returncode, wrong.stderr) == (2, "usage: relay defer|sqpoll\n"), wrong
full = subprocess.run(
    [program, "defer"],
    input=b"x",
    stdout=os.open("/dev/full", os.O_WRONLY),
    stderr=subprocess.PIPE,
    check=False,
)
assert full.returncode == 1 and b"No space left on device" in full.stderr, full
