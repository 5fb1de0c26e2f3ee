# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs the example send_zc (argv[1]): what arrives is the file, whatever its length and however slowly it is read."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time

program = sys.argv[1]
patience_s = 20


def send(payload: bytes, slow: bool = False) -> str:
    """Sends a file with this content, and returns what the program says."""
    with tempfile.NamedTemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as listener:
        file.write(payload)
        file.flush()
        command = [program, file.name, str(listener.getsockname()[1])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            listener.settimeout(patience_s)
            connection, _ = listener.accept()
            got = []
            with connection:
                while part := connection.recv(20_000 if slow else 1 << 20):
                    got.append(part)
                    time.sleep(0.001 if slow else 0)
            said, errors = process.communicate(timeout=patience_s)
            assert process.returncode == 0, errors
    assert (
        b"".join(got) == payload
    ), f"{sum(map(len, got))} bytes came, or others than the {len(payload)} sent"
    return said.decode()


for size in (0, 1, 65536, 65537, 1_000_003):
    sends = -(-size // 65536)
    said = send(os.urandom(size))
    found = re.fullmatch(r"(\d+) bytes in (\d+) sends, (\d+) of them copied\n", said)
    assert found and int(found[1]) == size and int(found[2]) >= sends and int(found[3]) <= int(found[2]), said
send(os.urandom(3_000_000), slow=True)

gone = subprocess.run([program, "/dev/null", "1"], capture_output=True, text=True, check=False)
assert gone.returncode == 1 and "Connection refused" in gone.stderr, gone
missing = subprocess.run([program, "/missing", "1"], capture_output=True, text=True, check=False)
assert (missing.returncode, missing.stderr) == (1, "send_zc: /missing: No such file or directory\n"), missing
