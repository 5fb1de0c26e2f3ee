# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""reports/mutants.md: how many mutants there are, how many each check noticed, and every survivor with its reason."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from harness.base.words import number
from harness.mutation.ledger import Entry, Exemption
from harness.mutation.trial import Verdict, Witness
from harness.report.markdown import line, plain

BEGIN, END = "<!-- mutants:begin -->", "<!-- mutants:end -->"

_COLUMNS: tuple[tuple[str, Callable[[Entry, Mapping[str, Exemption]], bool]], ...] = (
    ("suite", lambda one, _: one.witness == Witness.SUITE),
    ("unit tests", lambda one, _: one.witness == Witness.UNITS),
    ("compiler", lambda one, _: one.witness == Witness.COMPILER),
    ("emitted code", lambda one, _: one.witness == Witness.CODE),
    ("equivalent", lambda one, exempt: one.id in exempt and exempt[one.id].is_equivalent),
    ("out of reach", lambda one, exempt: one.id in exempt and not exempt[one.id].is_equivalent),
    ("unexplained", lambda one, exempt: one.verdict == Verdict.SURVIVED and one.id not in exempt),
)  # fmt: skip

_WORDS = """\
A mutant is the binding with one mistake in it. It is killed by the first check that notices: a test of the **suite**
(conformance/, on a real kernel), which runs first; the binding's own **unit tests** (bindings/tests, with a simulated kernel); the
**compiler** (a static_assert); or a check of the **emitted code** (bindings/tests/emitted_code_test.py: memory orders are
instructions on aarch64, but not on x86). Mutants that only the unit tests kill are mostly in operations that no row uses.

`ci/harness mutate` tries them all again and fails if one that was killed survives; `ci/harness mutate NAME` shows one."""


def headline(entries: Sequence[Entry], exempt: Mapping[str, Exemption]) -> str:
    """The numbers in one sentence."""
    real = [
        one
        for one in entries
        if one.verdict != Verdict.INVALID and not (one.id in exempt and exempt[one.id].is_equivalent)
    ]
    killed = [one for one in real if one.verdict == Verdict.KILLED]
    suite = sum(one.witness == Witness.SUITE for one in killed)
    beyond = sum(one.id in exempt for one in real if one.verdict == Verdict.SURVIVED)
    unexplained = len(real) - len(killed) - beyond
    return (
        f"{len(killed)} of {number(len(real), 'mutant')} of the binding are killed, {suite} of them by the suite alone"
        + (f"; {beyond} cannot be reached from here" if beyond else "")
        + (f"; {unexplained} survive unexplained" if unexplained else "")
    )


#: What the README's line and the page say of themselves when the headers have changed since.
BEFORE = " (of earlier headers: those of today were not all tried)"


def readme_line(entries: Sequence[Entry], exempt: Mapping[str, Exemption]) -> str:
    """The line of the README, with its link."""
    return f"**Does it notice?** {headline(entries, exempt)}: [reports/mutants.md](reports/mutants.md)."


def fingerprint(ids: Iterable[str]) -> str:
    """Of a set of mutants: other headers make others."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:12]


def render(entries: Sequence[Entry], exempt: Mapping[str, Exemption]) -> str:
    """The whole page."""
    programs = [one for one in entries if one.verdict != Verdict.INVALID]
    survivors = [one for one in programs if one.verdict == Verdict.SURVIVED]
    parts = [
        "# Mutants of the binding",
        f"**{headline(entries, exempt)}.** Another {sum(one in survivors and exempt[one.id].is_equivalent for one in survivors if one.id in exempt)} "
        f"change nothing at all, each with a proof below; {len(entries) - len(programs)} do not compile and do not count. "
        f"These are the mutants {fingerprint(one.id for one in entries)}.",
        _WORDS,
        "\n".join(_table("kind", programs, exempt, lambda one: one.kind)),
        "\n".join(_table("header", programs, exempt, lambda one: one.file)),
    ]
    for title, wanted in (("Out of reach", False), ("Equivalent", True)):
        groups = _by_reason(
            (one for one in survivors if one.id in exempt and exempt[one.id].is_equivalent is wanted), exempt
        )
        if groups:
            parts += [f"## {title}", *groups]
    if unexplained := [one for one in survivors if one.id not in exempt]:
        parts += ["## Unexplained", "\n".join(_item(one) for one in unexplained)]
    parts += ["## Hand-made", _HAND, "\n".join(_hand(entries))]
    return "\n\n".join(parts) + "\n"


_HAND = "Mistakes that people make, and the check that first noticed each."


def _hand(entries: Iterable[Entry]) -> Iterator[str]:
    yield line("mistake", "where", "noticed by")
    yield line(":---", ":---", ":---")
    for one in entries:
        if one.why:
            noticed = f"{one.killer} {one.how}".strip() if one.verdict == Verdict.KILLED else one.verdict
            yield line(plain(one.why), f"{one.file}, {plain(one.scope)}", plain(noticed))


def _table(
    name: str, entries: Sequence[Entry], exempt: Mapping[str, Exemption], key: Callable[[Entry], str]
) -> Iterator[str]:
    yield line(name, "mutants", *(title for title, _ in _COLUMNS))
    yield line(":---", *("---:" for _ in range(len(_COLUMNS) + 1)))
    for group in [*dict.fromkeys(key(one) for one in entries), None]:
        these = [one for one in entries if group is None or key(one) == group]
        counts = Counter(title for one in these for title, fits in _COLUMNS if fits(one, exempt))
        yield line(group or "all", str(len(these)), *(str(counts[title] or "") for title, _ in _COLUMNS))


def _by_reason(entries: Iterable[Entry], exempt: Mapping[str, Exemption]) -> list[str]:
    groups: dict[str, list[Entry]] = {}
    for one in entries:
        groups.setdefault(exempt[one.id].reason, []).append(one)
    return [
        f"{plain(reason)}\n\n" + "\n".join(_item(one) for one in these) for reason, these in groups.items()
    ]


def _item(one: Entry) -> str:
    return f"- {one.id} {plain(one.title)}"
