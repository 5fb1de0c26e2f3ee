# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The judge against a table written out by hand: every combination, none computed."""

from __future__ import annotations

from itertools import product

import pytest

from harness.suite.since import Expected
from harness.verdicts.judge import Deviates, Verdict, judge, proposes_since, sign, surprise
from harness.verdicts.observation import Shape, State

# state and shape           present    absent     unknown    then the same with a complaint in the kernel log
TABLE = """
passed   right              works      early      works      complained complained complained
passed   wrong              works      early      works      complained complained complained
passed   -                  works      early      works      complained complained complained
refused  right              missing    absent     absent     missing    complained complained
refused  wrong              wrong      wrong      wrong      wrong      wrong      wrong
refused  -                  wrong      wrong      wrong      wrong      wrong      wrong
failed   right              wrong      wrong      wrong      wrong      wrong      wrong
failed   wrong              wrong      wrong      wrong      wrong      wrong      wrong
failed   -                  wrong      wrong      wrong      wrong      wrong      wrong
blocked  right              none       none       none       none       none       none
blocked  wrong              none       none       none       none       none       none
blocked  -                  none       none       none       none       none       none
timeout  right              wrong      wrong      wrong      wrong      wrong      wrong
timeout  wrong              wrong      wrong      wrong      wrong      wrong      wrong
timeout  -                  wrong      wrong      wrong      wrong      wrong      wrong
crashed  right              wrong      wrong      wrong      wrong      wrong      wrong
crashed  wrong              wrong      wrong      wrong      wrong      wrong      wrong
crashed  -                  wrong      wrong      wrong      wrong      wrong      wrong
nothing  right              none       none       none       none       none       none
nothing  wrong              none       none       none       none       none       none
nothing  -                  none       none       none       none       none       none
"""
# The same for a test that a binding cannot express, where it matters whose binding it is.
UNSAID = """
other    right              missing         not_expressible not_expressible missing    complained complained
other    wrong              wrong           wrong           wrong           wrong      wrong      wrong
other    -                  not_expressible not_expressible not_expressible complained complained complained
ours     right              wrong           wrong           wrong           wrong      wrong      wrong
ours     wrong              wrong           wrong           wrong           wrong      wrong      wrong
ours     -                  wrong           wrong           wrong           wrong      wrong      wrong
"""
COLUMNS = tuple(product((False, True), ("present", "absent", "unknown")))
LINES = [
    *(
        (state, whose, *rest)
        for state, *rest in map(str.split, TABLE.strip().splitlines())
        for whose in ("other", "ours")
    ),
    *((State.NOT_EXPRESSIBLE, *rest) for rest in map(str.split, UNSAID.strip().splitlines())),
]
GOLDEN = {
    (state, shape, expected, complained, whose == "ours"): verdict
    for state, whose, shape, *verdicts in LINES
    for (complained, expected), verdict in zip(COLUMNS, verdicts, strict=True)
}
EVERYTHING = tuple(product(State, (*Shape, None), Expected, (False, True), (False, True)))


def test_the_table_knows_every_combination():
    assert len(GOLDEN) == len(EVERYTHING) == 8 * 3 * 3 * 2 * 2


@pytest.mark.parametrize(("state", "shape", "expected", "complained", "ours"), EVERYTHING)
def test_the_judge_agrees_with_the_table(state, shape, expected, complained, ours):
    golden = GOLDEN[state, shape or "-", expected, complained, ours]
    assert judge(state, shape, expected, complained, ours=ours) is Verdict(golden)


def test_what_a_binding_cannot_say_is_never_a_pass():
    unsaid = {verdict for (state, *_), verdict in GOLDEN.items() if state == State.NOT_EXPRESSIBLE}
    assert not unsaid & {Verdict.WORKS, Verdict.ABSENT, Verdict.EARLY}


def test_every_verdict_can_come_out():
    assert set(GOLDEN.values()) == set(Verdict) - {Verdict.KNOWN, Verdict.GONE}  # these are below


def test_signs():
    assert {verdict.value: sign(verdict) for verdict in Verdict} == {
        "works": "✓",
        "absent": "·",
        "missing": "✗",
        "wrong": "✗",
        "complained": "!",
        "early": "+",
        "none": "?",
        "not_expressible": "–",
        "known": "✗*",
        "gone": "+",
    }


def test_a_row_that_passed_in_part_has_a_sign_of_its_own():
    assert sign(Verdict.NOT_EXPRESSIBLE, in_part=True) == "~"
    assert {sign(verdict, in_part=True) for verdict in Verdict} & {"–"} == set()
    assert sign(Verdict.WORKS, in_part=True) == "✓"


def test_only_these_are_no_surprise():
    assert {verdict for verdict in Verdict if not surprise(verdict)} == {
        "works",
        "absent",
        "not_expressible",
        "known",
    }


def test_clean_answers_of_a_kernel_without_version_propose_a_since():
    proposing = {pair for pair in product(Expected, Verdict) if proposes_since(*pair)}
    assert proposing == {(Expected.UNKNOWN, Verdict.WORKS), (Expected.UNKNOWN, Verdict.ABSENT)}


KNOWN = {
    Verdict.WRONG: {Deviates.AS_LISTED: Verdict.KNOWN, Deviates.OTHERWISE: Verdict.WRONG},
    **dict.fromkeys((Verdict.WORKS, Verdict.ABSENT, Verdict.EARLY), dict.fromkeys(Deviates, Verdict.GONE)),
}


@pytest.mark.parametrize("deviates", (Deviates.AS_LISTED, Deviates.OTHERWISE))
@pytest.mark.parametrize(("state", "shape", "expected", "complained", "ours"), EVERYTHING)
def test_a_listed_deviation_is_known_only_if_exactly_that_was_seen(
    state, shape, expected, complained, ours, deviates
):
    without = judge(state, shape, expected, False, ours=ours)
    wanted = KNOWN.get(without, {}).get(deviates, without)
    if complained and not (surprise(wanted) and wanted is not Verdict.EARLY and wanted is not Verdict.GONE):
        wanted = Verdict.COMPLAINED
    assert judge(state, shape, expected, complained, deviates, ours=ours) is wanted


@pytest.mark.parametrize(("state", "shape", "expected", "complained", "ours"), EVERYTHING)
def test_a_row_without_the_tests_that_would_not_end_is_known_and_never_works(
    state, shape, expected, complained, ours
):
    without = judge(state, shape, expected, complained, ours=ours)
    wanted = Verdict.KNOWN if without is Verdict.WORKS else without
    assert judge(state, shape, expected, complained, Deviates.LEFT_OUT, ours=ours) is wanted


def test_only_what_is_known_is_quiet():
    assert not surprise(Verdict.KNOWN) and surprise(Verdict.GONE)
