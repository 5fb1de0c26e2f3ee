# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The cache: complete answers or none, safe for two runs at once, and a clear message when the disk fails."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.base.cache import SILENT_S, Cache, default_root
from harness.base.errors import HarnessError
from harness.base.paths import ROOT


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_the_root_follows_the_xdg_specification(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root() == tmp_path / "uring-conformance"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # must be ignored
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_root() == Path("/home/somebody/.cache/uring-conformance")
    assert Cache(tmp_path / "mine").root == tmp_path / "mine"


def test_a_blob_is_found_by_its_digest(tmp_path):
    cache = Cache(tmp_path)
    digest = cache.put(io.BytesIO(b"kernel"))
    assert digest == hashlib.sha256(b"kernel").hexdigest()
    assert cache.blob(digest).read_bytes() == b"kernel"
    assert cache.put(io.BytesIO(b"kernel")) == digest  # a second time is not an error
    assert files(tmp_path) == {f"blobs/{digest}"}
    assert cache.blob("0" * 64) is None


def test_a_damaged_blob_is_not_handed_out_and_can_be_made_again(tmp_path):
    cache = Cache(tmp_path)
    path = cache.blob(cache.put(io.BytesIO(b"kernel")))
    path.write_bytes(b"kernfl")
    assert cache.blob(path.name) is None
    assert not path.exists()
    cache.put(io.BytesIO(b"kernel"))
    assert cache.blob(path.name) == path


def test_a_fact_is_replaced_and_a_damaged_one_is_no_fact(tmp_path):
    cache = Cache(tmp_path)
    assert cache.fact("accelerator") is None
    cache.put_fact("accelerator", {"kvm": False})
    cache.put_fact("accelerator", {"kvm": True})
    assert cache.fact("accelerator") == {"kvm": True}
    for damage in (b"", b"{", b"[1]", b"\xff"):
        (tmp_path / "facts/accelerator.json").write_bytes(damage)
        assert cache.fact("accelerator") is None


def test_an_interrupted_write_leaves_nothing(tmp_path):
    class Interrupted(io.RawIOBase):
        def read(self, size=-1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).put(Interrupted())
    assert files(tmp_path) == set()


def test_a_reader_sees_the_old_fact_or_the_new_one(tmp_path):
    cache = Cache(tmp_path)
    cache.put_fact("series", {"text": "a" * 100_000})
    stop = threading.Event()

    def rewrite():
        while not stop.is_set():
            cache.put_fact("series", {"text": "b" * 100_000})

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        seen = [cache.fact("series") for _ in range(200)]
    finally:
        stop.set()
        writer.join()
    assert None not in seen
    assert {fact["text"] for fact in seen} <= {"a" * 100_000, "b" * 100_000}


def test_a_full_disk_is_told_with_place_and_room(tmp_path, monkeypatch):
    def fsync(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    told = rf"The disk is full: writing {tmp_path}/blobs/\S+ failed, \d+ MiB are free in {tmp_path}/blobs\."
    with pytest.raises(HarnessError, match=told):
        Cache(tmp_path).put(io.BytesIO(b"kernel"))
    assert files(tmp_path) == set()


def test_a_directory_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()  # root may write into any directory, but not into a file
    told = r"Cannot write \S+/file/facts: Not a directory\. .* set XDG_CACHE_HOME"
    with pytest.raises(HarnessError, match=told):
        Cache(tmp_path / "file").put_fact("name", {})


def test_a_lock_keeps_out_another_process_until_it_is_given_back(tmp_path):
    program = (
        "import sys; from pathlib import Path; from harness.base.cache import Cache\n"
        "with Cache(Path(sys.argv[1])).lock('archive'):\n"
        "    print('mine', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    events = []
    said = threading.Event()

    def wait_for_it():
        def notice(text):
            events.append(text)
            said.set()

        with Cache(tmp_path).lock("archive", notice):
            events.append("got it")

    with other:
        assert other.stdout.readline() == b"mine\n"
        began = time.monotonic()
        waiter = threading.Thread(target=wait_for_it)
        waiter.start()
        assert said.wait(60)
        assert time.monotonic() - began >= SILENT_S
        events.append("other ends")
        other.kill()  # a run that was killed must not keep the lock
        waiter.join(60)
    waiting, *rest = events
    assert waiting.startswith(
        f"Waiting for process {other.pid} ({sys.executable} -c import sys; from pathlib "
    )
    assert waiting.endswith(f", which holds {tmp_path}/locks/archive.")
    assert rest == ["other ends", "got it"]


def test_who_waits_silently_otherwise_says_so_on_standard_error(tmp_path, capsys):
    cache = Cache(tmp_path)
    held, waiting = threading.Event(), threading.Event()

    def hold():
        with cache.lock("kernel"):
            held.set()
            waiting.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    threading.Timer(SILENT_S + 0.5, waiting.set).start()
    with Cache(tmp_path).lock("kernel"):
        pass
    holder.join()
    assert capsys.readouterr().err == (
        f"Waiting for another part of this run, which holds {tmp_path}/locks/kernel.\n"
    )


def test_a_short_wait_is_not_worth_a_word(tmp_path):
    cache = Cache(tmp_path)
    notices: list[str] = []
    held = threading.Event()

    def hold():
        with cache.lock("kernel"):
            held.set()
            time.sleep(SILENT_S / 4)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    with cache.lock("kernel", notices.append):
        holder.join()
    assert notices == []


def test_nobody_else_on_this_machine_can_hold_a_lock(tmp_path):
    # Whoever can open a file can lock it, even if only for reading.
    cache = Cache(tmp_path)
    (cache.directory("locks") / "earlier").touch(0o666)  # of an earlier version
    for take in (lambda: cache.lock("archive"), lambda: cache.lock("earlier"), cache.used):
        with take():
            pass
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "locks").iterdir()} == {0o600}


def test_locks_of_different_names_do_not_meet(tmp_path):
    cache = Cache(tmp_path)
    notices: list[str] = []
    with cache.lock("one", notices.append), cache.lock("two", notices.append):
        pass
    assert notices == []
