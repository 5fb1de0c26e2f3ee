# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness ask`: its answers, of the published run, and what it says to a question that it does not understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.commands import ask


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert ask.main(arguments) == code
    return capsys.readouterr().out


def test_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(capsys, "accept-multishot")
    assert answer.startswith("IORING_ACCEPT_MULTISHOT  (accept flag)\n  since      Linux 5.19\n")
    assert (
        "  absent on  5.10: refused there, with a witness\n" in answer
        and "  works on   6.1, 6.12, " in answer
    )
    assert "  shown by   accept_multishot" in answer
    assert "IORING_REGISTER_PROBE" in said(capsys, "nop")


def test_a_bug_to_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        "  know       6.16: a bundle of at most 130 bytes receives 256 (recv_bundle; fixed in 6.17)"
        in said(capsys, "IORING_RECVSEND_BUNDLE")
    )


def test_a_kernel_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--kernel", "6.1", "nop", "accept") == (
        "IORING_OP_NOP: yes, since Linux 5.1\nIORING_OP_ACCEPT: yes, since Linux 5.5\n"
    )
    assert "IORING_OP_BIND: no, since Linux 6.11\n" == said(capsys, "--kernel", "6.1", "bind", code=1)


def test_everything_on_a_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = said(capsys, "--kernel", "5.4"), said(capsys, "--kernel", "6.16.12")
    assert "IORING_OP_TIMEOUT" in old and "IORING_OP_ACCEPT" not in old and "know:" not in old
    assert "IORING_OP_ACCEPT" in new and "receives 256 (recv_bundle)" in new


def test_a_source(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = tmp_path / "server.c"
    source.write_text("io_uring_prep_nop(sqe);\nio_uring_prep_bind(sqe, fd, a, n);\n")
    answer = said(capsys, "--uses", str(source))
    assert f" 6.11  IORING_OP_BIND  ({source}:2)\n" in answer
    assert "All of them: Linux 6.11 or newer, for IORING_OP_BIND." in answer
    source.write_text("int main() {}\n")
    assert "No name of io_uring is used there" in said(capsys, "--uses", str(source))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["acept"], "Nothing of io_uring is called 'acept'. Did you mean"),
        (["io"], "Nothing of io_uring is called 'io'"),
        (["r"], "may mean"),
        (["--kernel", "new"], "'new' is no release of Linux, such as 5.15"),
        (["--uses", "/no/such/file"], "The source /no/such/file cannot be read: No such file or directory."),
    ],
)
def test_what_is_not_understood(arguments: list[str], message: str) -> None:
    with pytest.raises(HarnessError) as error:
        ask.main(arguments)
    assert message in str(error.value)


def test_no_question(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ask.main([])
    assert "Give a name, --kernel or --uses" in capsys.readouterr().err
