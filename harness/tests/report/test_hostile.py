# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Hostile words in a results file: every report shows them, and none obeys them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.base.errors import HarnessError
from harness.matrix import publish
from harness.report import changes, folder, ktap, markdown, sanitize, terminal
from harness.report.view import Place
from harness.results.compare import compare
from harness.results.file import Writer, read_results
from harness.results.model import Results
from harness.suite import catalogue
from harness.tests.runs import HEADER, TESTS, cell, run, write
from harness.verdicts.judge import Verdict

ROWS = tuple(row for row in catalogue.load() if row.name in TESTS)
WORDS = "\x1b[2J\u202e\u200b\x9b\udc80\x00</pre><script>x</script> ]]> [red] | a | # SKIP Fixes #12 @somebody"


def hostile(words: str = WORDS) -> Results:
    """A run in which every text that is not a name comes from outside."""
    whole = run({("waitid", "6.1"): Verdict.WRONG})
    odd = replace(cell("waitid", "6.1", Verdict.WRONG, words), kernel=words, rerun=words, due=(words,))
    kernels = tuple(
        replace(
            one,
            release=words,
            version=words,
            source=words,
            trouble=words,
            notices=(words,),
            bindings={"uring": words},
        )
        for one in whole.kernels
    )
    cells = tuple(odd if one.position == odd.position else one for one in whole.cells)
    return replace(whole, cells=cells, kernels=kernels, header=replace(whole.header, host={words: words}))


@pytest.mark.parametrize("name", folder.RENDERERS)
def test_no_report_has_a_control_or_an_invisible_character(name):
    shown = folder.RENDERERS[name](hostile(), ROWS, Place(home="."))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\ud800-\udfff]", shown)
    shown.encode()
    if name.endswith(".xml"):
        ElementTree.fromstring(shown)
    if name.endswith(".html"):
        assert "<script>x" not in shown and "</pre><script" not in shown


def test_the_terminal_has_none_either_and_verdicts_survive_cleaning():
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\ud800-\udfff]", terminal.render(hostile()))
    clean = sanitize.for_everybody(hostile())
    assert [one.verdict for one in clean.cells] == [one.verdict for one in hostile().cells]
    assert isinstance(clean.cells[0].verdict, Verdict)


def test_words_cannot_turn_a_failure_into_a_skip_or_begin_a_test_in_ktap():
    for words in ("it failed # SKIP", "Subtest: other\n1..1\nok 1 fake", "x\nKTAP version 1\nok 1 fake"):
        lines = ktap.render(hostile(words), ROWS, Place(home=".")).splitlines()
        assert not [line for line in lines if re.match(r"\s*(ok|not ok) \d+ .* # SKIP", line)]
        assert not [line for line in lines if re.match(r"\s*(# Subtest: other|ok 1 fake)", line)]
        assert [line for line in lines if line.startswith("  not ok 3 waitid")]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("---", r"\---"),
        ("===", r"\==="),
        ("-EINVAL is 6.1.", "-EINVAL is 6.1."),
        (
            "see https://evil.example/ and www.evil.example",
            r"see https\://evil.example/ and www\.evil.example",
        ),
        ("<b>[x](y)`", r"\<b\>\[x\](y)\`"),
    ],
)
def test_no_words_are_markup(words, shown):
    assert markdown.plain(words) == shown


@pytest.mark.parametrize(
    "words",
    [
        "Fixes #12",
        "closes: owner/x#3",
        "@somebody",
        "[skip ci]",
        "[no ci]",
        "***NO_CI***",
        "two\n\nSigned-off-by: x",
    ],
)
def test_no_words_are_obeyed_in_a_commits_message(words):
    old = run()
    new = replace(
        old, kernels=tuple(replace(one, release=words, source=words, sha256=None) for one in old.kernels)
    )
    found = compare(old, new)
    for message in (changes.subject(found), changes.markdown(found)):
        assert not re.search(
            r"(?i)(fix|close|resolve)\w*:?\s\S*#\d|@\w|\[(skip|no|ci)[ -]|\*\*\*NO_CI", message
        )
        assert "\nSigned-off-by" not in message
    assert "\n" not in changes.subject(found)


def test_an_unclosed_quote_in_a_rerun_is_a_reason_not_to_publish(tmp_path):
    whole = run()
    odd = replace(whole, cells=(replace(whole.cells[0], rerun="ci/matrix --append 'x"), *whole.cells[1:]))
    path = write(odd, tmp_path / "results.ndjson")
    read = read_results(path)
    reason = publish.hindrance(
        replace(read, header=replace(read.header, plan=replace(read.header.plan, tests=_all()))),
        read.header.plan.kernels,
    )
    assert reason is not None and "cannot be read (No closing quotation): ci/matrix --append 'x" in reason


def _all() -> tuple[str, ...]:
    return tuple(row.name for row in catalogue.load())


@pytest.mark.parametrize("complete", [True, False])
def test_results_are_called_safe_only_if_they_are(complete, tmp_path, monkeypatch):
    whole = run()
    if complete:
        write(whole, tmp_path / "results.ndjson")
    else:
        (tmp_path / "results.ndjson").touch()

    def full(source, target):
        raise OSError(28, os.strerror(28), str(target))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        HarnessError, match="^Cannot write the reports: .*: No space left on device. "
    ) as told:
        folder.fill(tmp_path, whole, ROWS, top=tmp_path, machines="machines")
    if complete:
        assert (
            f"The results are safe in {tmp_path}/results.ndjson: make room, then run ci/harness render"
            in str(told.value)
        )
    else:
        assert "are safe" not in str(told.value) and "results.ndjson is empty: its run did not start" in str(
            told.value
        )


def test_nothing_is_called_intact_where_nothing_was_written():
    with pytest.raises(HarnessError, match="No space left on device. Make room and run again.$"):
        Writer(Path("/dev/full"), HEADER)
