# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The progress of a run, as a person sees it: live lines on a terminal, one line per finished kernel in a log."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.matrix import progress
from harness.matrix.progress import Progress, report
from harness.verdicts.judge import Verdict

PLANNED = ("6.1", "6.1", "6.1", "host")


def log() -> Console:
    """Standard error that is a file."""
    return Console(file=io.StringIO(), soft_wrap=True, highlight=False)


def said(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_log_has_a_line_for_each_finished_kernel(tmp_path: Path) -> None:
    console = log()
    seen = Progress(tmp_path, PLANNED, console)
    seen.start()
    report(tmp_path, "6.1", "boots", lasting=False)
    for verdict in (Verdict.WORKS, Verdict.WRONG):
        seen.cell("6.1", verdict)
    assert said(console) == []
    seen.cell("6.1", Verdict.WORKS)
    seen.cell("host", Verdict.ABSENT)
    seen.stop()
    assert said(console) == [
        "6.1: 2 work, 1 wrong, 0 s (1 of 2 kernels)",
        "host: 1 correctly absent, 0 s (2 of 2 kernels)",
    ]


def test_what_lasts_is_seen_in_a_log_and_what_does_not_is_not(tmp_path: Path) -> None:
    console = log()
    seen = Progress(tmp_path, PLANNED, console)
    seen.start()
    report(tmp_path, "6.1", "fetches linux-image-6.1", lasting=False)
    report(tmp_path, "6.1", "the archive could not be asked [31m\x1b[31m", lasting=True)
    seen.stop()
    assert said(console) == ["6.1: the archive could not be asked [31m␛[31m"]


def test_a_terminal_has_one_live_line_per_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "POLL_S", 0.01)
    console = Console(file=io.StringIO(), force_terminal=True, width=80, highlight=False)
    seen = Progress(tmp_path, PLANNED, console)
    seen.start()
    report(tmp_path, "6.1", "6.1.0-56-cloud-amd64 runs", lasting=False)
    seen.cell("6.1", Verdict.WORKS)
    seen.stop()
    with console.capture() as capture:
        console.print(seen._table())
    first, second = capture.get().splitlines()
    assert first.split() == ["6.1", "1/3", "1", "✓", "0", "s", "6.1.0-56-cloud-amd64", "runs"]
    assert second.split() == ["host", "0/1", "waits"]


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    console = log()
    seen = Progress(tmp_path, PLANNED, console)
    (tmp_path / progress.FILE).write_text('{"column": "6.1", "te')
    seen.start()
    with (tmp_path / progress.FILE).open("a") as file:
        file.write('xt": "a notice", "lasting": true}\n')
    seen.stop()
    assert said(console) == ["6.1: a notice"]


def test_a_full_disk_costs_no_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(tmp_path / "none", "6.1", "a notice\x07", lasting=True)
    assert capsys.readouterr().err == "[6.1] a notice␇\n"


def test_markup_and_controls_in_a_guests_words_are_only_words(tmp_path: Path) -> None:
    console = Console(
        file=io.StringIO(), force_terminal=True, width=300, highlight=False, color_system="truecolor"
    )
    hostile = "[red]x[/red] :smile: \x1b[31m\u202e\n::error::y " + "z" * 100_000
    seen = Progress(tmp_path, ("[bold]6.1[/bold]",), console)
    seen._lines["[bold]6.1[/bold]"].state = hostile
    with console.capture() as capture:
        console.print(seen._table())
        seen._say(hostile)
    shown = capture.get()
    assert (
        "[bold]6.1[/bold]" in shown and shown.count("[red]x[/red] :smile:") == 2 and "\x1b[31m" not in shown
    )
    assert "\u202e" not in shown and "\n::" not in shown and len(shown) < 5000
