# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Who is to blame: every pattern gets an answer, and the meaningful patterns get the right one."""

from __future__ import annotations

from itertools import product

import pytest

from harness.verdicts.blame import Culprit, blame
from harness.verdicts.judge import Verdict

#: The other bindings on the kernel, and the binding's own cells on two other kernels.
OTHERS = ("uring", "liburing-2.15", "raw")
ELSEWHERE = ("6.12", "7.3")
LETTERS = {
    "✓": Verdict.WORKS, "·": Verdict.ABSENT, "✗": Verdict.WRONG, "m": Verdict.MISSING, "!": Verdict.COMPLAINED,
    "+": Verdict.EARLY, "?": Verdict.NONE, "–": Verdict.NOT_EXPRESSIBLE, " ": None,
}  # fmt: skip


def accused(own: str, others: str, elsewhere: str, binding: str = "liburing"):
    """Who is blamed for the cell of liburing on 6.1, given these signs."""
    names = (
        ("uring", "liburing-2.15", "raw") if binding == "liburing" else ("liburing", "liburing-2.15", "raw")
    )
    here = {binding: LETTERS[own]} | {name: LETTERS[one] for name, one in zip(names, others, strict=True)}
    there = {"6.1": LETTERS[own]} | {
        name: LETTERS[one] for name, one in zip(ELSEWHERE, elsewhere, strict=True)
    }
    row = {name: {"6.1": verdict} for name, verdict in here.items() if verdict}
    row[binding] = {name: verdict for name, verdict in there.items() if verdict}
    return blame(binding, "6.1", row)


@pytest.mark.parametrize(
    ("own", "others", "elsewhere", "culprit"),
    [
        # A kernel: odd through all bindings, and the test works elsewhere.
        ("✗", "✗✗✗", "✓✗", Culprit.KERNEL),
        ("✗", "✗–?", "✓ ", Culprit.KERNEL),
        ("m", "mmm", "✓✓", Culprit.KERNEL),
        ("!", "✓✓✓", "✓✓", Culprit.KERNEL),
        ("!", "   ", "  ", Culprit.KERNEL),
        # A test that works early speaks for the kernel, and is odd beside one that is absent.
        ("✗", "+++", "✓✓", Culprit.BINDING),
        ("✗", "+✗✓", "✓✓", Culprit.ASSUMPTION),
        ("+", "···", "✓✓", Culprit.BINDING),
        ("+", "✗✗✗", "✓✓", Culprit.UNKNOWN),
        ("+", "·✗·", "✓✓", Culprit.UNKNOWN),
        ("+", "+··", "✓✓", Culprit.UNKNOWN),
        ("+", "+++", "✓✓", Culprit.UNKNOWN),  # a backport, or wrong data
        ("+", "   ", "✓✓", Culprit.UNKNOWN),
        # A binding: only its cell is odd.
        ("✗", "✓✓✓", "✗✗", Culprit.BINDING),
        ("✗", "✓✓✓", "✓✓", Culprit.BINDING),
        ("✗", "✓ –", "  ", Culprit.BINDING),
        ("✗", "··?", "✓✓", Culprit.BINDING),
        ("✗", "  ✓", "✗ ", Culprit.BINDING),
        # Something that bindings share: all but bare system calls are odd, or all versions of one library.
        ("✗", "✗✗✓", "✗✗", Culprit.ASSUMPTION),
        ("✗", "✗ ✓", "✓✓", Culprit.ASSUMPTION),
        ("✗", "✓✗✓", "✗✗", Culprit.ASSUMPTION),
        ("✗", "✓✗ ", "✗✗", Culprit.ASSUMPTION),
        ("✗", "✓✗✗", "✗✗", Culprit.ASSUMPTION),  # through adapters only: their table
        # Versions of one library are one witness.
        ("✗", "–✗–", "✗✗", Culprit.UNKNOWN),
        ("✗", "–✗–", "✓✓", Culprit.UNKNOWN),
        # Where the kernel complained, the result was right: it speaks for the test, and blames no other.
        ("✗", "!!!", "✗✗", Culprit.UNKNOWN),
        ("✗", "!!!", "✓✓", Culprit.UNKNOWN),
        ("✗", "✗✗✗", "✗!", Culprit.UNKNOWN),
        ("✗", "✗✗!", "✗✗", Culprit.UNKNOWN),
        ("✗", "✓!!", "✗✗", Culprit.BINDING),
        # A test: odd through all bindings, and works nowhere.
        ("✗", "✗✗✗", "✗✗", Culprit.TEST),
        ("✗", "✗✗✗", "✗·", Culprit.TEST),
        # There is no telling.
        ("✗", "✗✗✗", "··", Culprit.UNKNOWN),  # no other kernel should have it
        ("✗", "✓✓✗", "✗✗", Culprit.UNKNOWN),  # bare system calls, too, but not all
        ("✗", "✗✓✓", "✗✗", Culprit.UNKNOWN),
        ("✗", "???", "✓✓", Culprit.UNKNOWN),
        ("✗", "–––", "✗✗", Culprit.UNKNOWN),
        ("✗", "   ", "  ", Culprit.UNKNOWN),
    ],
)
def test_a_pattern_accuses(own, others, elsewhere, culprit):
    assert accused(own, others, elsewhere).culprit is culprit


@pytest.mark.parametrize("own", ["✓", "·", "?", "–"])
def test_a_cell_that_is_not_odd_accuses_nobody(own):
    for others, elsewhere in product(product(LETTERS, repeat=3), product("✓·✗–", repeat=2)):
        assert accused(own, "".join(others), "".join(elsewhere)) is None


@pytest.mark.parametrize("binding", ["uring", "liburing"])
@pytest.mark.parametrize("own", ["✗", "m", "!", "+"])
def test_every_pattern_has_an_answer_with_its_evidence(own, binding):
    found = set()
    for signs in product(*3 * [LETTERS], *2 * ["✓·✗–+"]):
        others, elsewhere = "".join(signs[:3]), "".join(signs[3:])
        answer = accused(own, others, elsewhere, binding)
        found.add(answer.culprit)
        assert answer.says and not answer.says.endswith(".")
        check(own, others, elsewhere, answer.culprit)
    early = {Culprit.BINDING, Culprit.UNKNOWN}
    assert found == {"!": {Culprit.KERNEL}, "+": early}.get(own, set(Culprit))


@pytest.mark.parametrize("mine", ["✗", "m", " "])
@pytest.mark.parametrize("yours", ["✓", "+"])
def test_no_test_is_accused_that_works_through_another_binding(mine, yours):
    """The same blame, whatever this binding got elsewhere."""
    row = {"uring": {"6.1": "✗", "6.12": yours}, "liburing": {"6.1": "✗", "6.12": mine, "7.3": "✗"}}
    verdicts = {
        name: {on: LETTERS[sign] for on, sign in seen.items() if sign != " "} for name, seen in row.items()
    }
    assert blame("uring", "6.1", verdicts).culprit is Culprit.KERNEL
    assert blame("liburing", "6.1", verdicts).culprit is Culprit.UNKNOWN
    assert (
        "works on other kernels through uring, but not through liburing"
        in blame("liburing", "6.1", verdicts).says
    )


def through(**here: Verdict) -> dict[str, dict[str, Verdict]]:
    """The same test on 6.1 and, with the same verdicts, on 6.12."""
    return {name.replace("_", "-"): {"6.1": verdict, "6.12": verdict} for name, verdict in here.items()}


@pytest.mark.parametrize(
    "pair", [("uring", "uring-adapter"), ("uring", "lie:short"), ("liburing", "liburing-2.9")]
)
def test_who_shares_its_logic_is_one_witness(pair):
    red = {name: {"6.1": Verdict.WRONG, "6.12": Verdict.WRONG} for name in pair}
    for name in pair:
        answer = blame(name, "6.1", red)
        assert answer.culprit is Culprit.UNKNOWN
        assert answer.says.startswith(
            f"On 6.1 only {pair[0]} and {pair[1]} have a verdict, and through {name} it is odd on 6.1 and 6.12"
        )
        works = red | {name: {"6.1": Verdict.WRONG, "6.12": Verdict.WORKS}}
        assert blame(name, "6.1", works).culprit is Culprit.UNKNOWN


def test_ours_is_one_binding_directly_and_through_the_table():
    red, fine = Verdict.WRONG, Verdict.WORKS
    row = through(uring=red, uring_adapter=red, raw=fine, liburing=fine)
    assert blame("uring", "6.1", row).culprit is Culprit.BINDING
    row = through(uring=red, uring_sys=red, raw=fine, liburing=fine)  # another binding's
    assert blame("uring", "6.1", row).culprit is Culprit.UNKNOWN


def test_what_is_fine_need_not_work():
    row = through(raw=Verdict.ABSENT, liburing=Verdict.WRONG, mine=Verdict.WRONG)
    assert "only bare system calls are fine" in blame("mine", "6.1", row).says


@pytest.mark.parametrize(
    ("binding", "adapter"), [("liburing", True), ("mine", True), ("uring", False), ("raw", False)]
)
def test_a_binding_of_others_may_be_right_and_its_adapter_wrong(binding, adapter):
    row = {binding: {"6.1": Verdict.WRONG}, "another": {"6.1": Verdict.WORKS}}
    assert ("or its adapter" in blame(binding, "6.1", row).says) is adapter


def check(own: str, others: str, elsewhere: str, culprit: Culprit) -> None:
    """What must be true whoever is blamed."""
    if own == "!":
        return
    fine = "·" if own == "+" else "✓·+"
    some_fine = any(one in fine for one in others)
    if culprit in (Culprit.BINDING, Culprit.ASSUMPTION):
        assert some_fine, "somebody must show that the kernel and the test are all right"
    if culprit is Culprit.BINDING:
        uring_or_raw = others[0] + others[2]
        assert not any(
            one in ("+✗m" if own == "+" else "✗m") for one in uring_or_raw
        ), "no other binding is odd"
    if culprit is Culprit.KERNEL:
        assert not some_fine and any(
            one in "✓+" for one in elsewhere
        ), "nobody is fine here, and the test works on another kernel"
        assert any(one in "✗m" for one in others), "another binding says so"
    if culprit is Culprit.TEST:
        assert not some_fine and not set("✓+!") & set(others + elsewhere), "it works nowhere that we know of"


@pytest.mark.parametrize(
    ("fine", "culprit"),
    [
        (("uring", "liburing-2.15"), Culprit.BINDING),
        (("uring", "raw"), Culprit.ASSUMPTION),
        (("raw",), Culprit.ASSUMPTION),
    ],
)
def test_a_mistake_of_some_versions_is_theirs_and_one_of_all_is_shared(fine, culprit):
    here = dict.fromkeys(("liburing", "liburing-2.9"), Verdict.WRONG) | dict.fromkeys(fine, Verdict.WORKS)
    row = {name: {"6.1": verdict} for name, verdict in here.items()}
    assert {blame(name, "6.1", row).culprit for name in ("liburing", "liburing-2.9")} == {culprit}


def test_what_nobody_reached_changes_nothing():
    for signs in product("✓·✗!", repeat=4):
        others, elsewhere = "".join(signs[:2]), "".join(signs[2:])
        without, silent = accused("✗", others + " ", elsewhere), accused("✗", others + "?", elsewhere)
        assert without == silent == accused("✗", others + "–", elsewhere)


def test_the_sentence_names_its_evidence():
    assert accused("✗", "✓✓✓", "✗ ").says == (
        "On 6.1 the same test is fine through uring, liburing-2.15 and raw, and odd through liburing alone, "
        "which is odd on 6.12, too; or its adapter"
    )
    assert accused("✗", "✗✗✗", "✓✓").says == (
        "On 6.1 the test is odd through every binding with a verdict (liburing, uring, liburing-2.15 and raw), "
        "while through liburing it works on 6.12 and 7.3"
    )


def test_many_kernels_are_counted():
    elsewhere = {f"6.{minor}": Verdict.WORKS for minor in range(12, 20)} | {"6.1": Verdict.WRONG}
    assert blame("uring", "6.1", {"uring": elsewhere, "raw": {"6.1": Verdict.WORKS}}).says.endswith(
        "through which it works on 8 kernels"
    )


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        ({"plain": "✓", "sqpoll": "✗"}, "; odd only under sqpoll: on a plain ring the same test works"),
        (
            {"plain": "✓", "defer": "✗", "sqpoll": "✗"},
            "; odd under defer and sqpoll, while on a plain ring the same test works",
        ),
        ({"plain": "✗", "sqpoll": "✗"}, "; on a plain ring it is odd, too"),
        ({"plain": "?", "sqpoll": "✗"}, "has a verdict"),
        ({"sqpoll": "✗"}, "has a verdict"),
    ],
)
def test_what_is_odd_on_one_kind_of_ring_says_so(kinds: dict[str, str], says: str) -> None:
    row = {"uring": {"6.1": Verdict.WRONG}}
    verdicts = {name: LETTERS[sign] for name, sign in kinds.items()}
    accused = blame("uring", "6.1", row, "sqpoll", verdicts)
    assert accused is not None and says in accused.says
    assert ("a plain ring" in accused.says) is ("a plain ring" in says)
    assert blame("uring", "6.1", row, "plain", verdicts) == blame("uring", "6.1", row)
    assert blame("uring", "6.1", {"uring": {"6.1": Verdict.WORKS}}, "sqpoll", verdicts) is None
