# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Which bindings a run tests, and whether each one's program can run where it must."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.suite.binding import DEFAULT, Binding, is_ours, parse


def test_without_a_wish_it_is_ours():
    assert parse([]) == DEFAULT == (Binding(name="uring"),)


def test_bindings_keep_their_order_and_come_once():
    mine = Binding(name="mine", given="a b/conformance-mine")
    assert parse(["raw", "mine=a b/conformance-mine", "uring", "raw"]) == (
        Binding(name="raw"),
        mine,
        Binding(name="uring"),
    )


@pytest.mark.parametrize(
    ("specs", "says"),
    [
        (["a b"], "is not a binding"),
        ([""], "is not a binding"),
        (["mine="], "is not a binding"),
        (["=x"], "is not a binding"),
        (["a]b"], "is not a binding"),
        (["../x"], "is not a binding"),
        (["uring=x"], "is the binding of this repository"),
        (["lie:refuse_all=x"], "is the binding of this repository"),
        (["mine=x", "mine=y"], "would both be called mine"),
        (["raw", "raw=y"], "would both be called raw"),
    ],
)
def test_what_is_no_list_of_bindings(specs, says):
    with pytest.raises(HarnessError, match=re.escape(says)):
        parse(specs)


def test_what_is_asked_for_can_be_asked_for_again():
    for spec in ("uring", "mine=a/b"):
        assert [one.spec for one in parse([spec])] == [spec]


def test_a_lie_is_told_by_our_own_program():
    assert is_ours("uring") and is_ours("lie:refuse_all") and not is_ours("liburing") and not is_ours("raw")
    assert Binding(name="lie:refuse_all").program(Path("b")) == Path("b/conformance/conformance")
    assert Binding(name="liburing-2.15").program(Path("b")) == Path("b/conformance/conformance-liburing-2.15")


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    """A build directory with a static program, one with shared libraries, one of bytes, and a script."""
    build = tmp_path_factory.mktemp("build")
    directory = build / "conformance"
    directory.mkdir()
    (directory / "p.c").write_text("int main(void) { return 0; }\n")
    for name, *how in (("static", "-static"), ("shared",)):
        compiler = shutil.which("cc") or "gcc"
        subprocess.run(
            [compiler, *how, "-o", directory / f"conformance-{name}", directory / "p.c"], check=True
        )
    for name, data in (("script", b"#!/bin/sh\n"), ("cut", b"\x7fELF\x02")):
        (directory / f"conformance-{name}").write_bytes(data)
        (directory / f"conformance-{name}").chmod(0o755)
    (directory / "conformance-plain").write_bytes(b"")
    return build


@pytest.mark.parametrize(
    ("name", "in_guests"), [("static", True), ("static", False), ("shared", False), ("script", False)]
)
def test_a_program_that_can_run(programs, name, in_guests):
    Binding(name=name).demand_program(programs, in_guests=in_guests)


@pytest.mark.parametrize(
    ("binding", "says"),
    [
        (Binding(name="shared"), "it is linked to shared libraries. Link it with -static"),
        (Binding(name="script"), "it is not an x86-64 executable"),
        (Binding(name="cut"), "it is not an x86-64 executable"),
        (Binding(name="plain"), "cannot be executed"),
        (Binding(name="uring"), "conformance does not exist. Build first: ci/build"),
        (Binding(name="liburing-2.15"), "ci/harness adapters fetches that binding"),
        (Binding(name="rust-io-uring"), "ci/harness adapters fetches that binding"),
        (
            Binding(name="other"),
            "There are uring, cut, plain, script, shared, static; ",
        ),
        (
            Binding(name="mine", given="nowhere/x"),
            "Build it with your adapter first: see conformance/adapters/README.md",
        ),
    ],
)
def test_a_program_that_cannot(programs, binding, says):
    with pytest.raises(HarnessError, match=re.escape(says)):
        binding.demand_program(programs, in_guests=True)


def test_a_program_with_a_name_that_cannot_be_a_bindings():
    with pytest.raises(
        HarnessError, match="^./x cannot be run as the binding 'my crate': .* Choose another name"
    ):
        parse(["my crate=./x"])
    with pytest.raises(HarnessError, match="cannot be run as the binding"):
        parse([f"{'x' * 101}=./x"])


@pytest.mark.parametrize("kind", ["fifo", "loop", "folder", "long"])
def test_a_program_that_is_no_file_is_called_what_it_is(kind, tmp_path):
    path = tmp_path / ("x" * 300 if kind == "long" else "program")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    with pytest.raises(
        HarnessError, match="it is a FIFO|it is a directory|form a loop|does not exist|name too long"
    ):
        parse([f"mine={path}"])[0].demand_program(tmp_path, in_guests=False)
