# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The difference between two runs in words, grouped by possible cause: for a terminal, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from harness.base.output import printable
from harness.base.words import listed, number, one_line
from harness.report import text
from harness.report.markdown import plain
from harness.report.sanitize import portable
from harness.results.compare import Cause, Change, Difference, Kind, Reason, reason_of
from harness.results.model import Cell, Results

FLAKY = (
    "NOTHING WE KNOW OF CHANGED for these cells: the same kernel, test, catalogue, binding, support and harness. "
    "Flaky? Run each one several more times"
)
_OBEYED = re.compile(
    r"@(?=\w)|\[(?=(?:skip|no|ci)[ -])|\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+\S*(?:#|/issues/)(?=\d)|\*\*\*(?=NO_CI)",
    re.IGNORECASE,
)
_MANY = 3  # more tests than this are counted, not named


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cells that changed in the same way."""

    kind: Kind
    signs: str  # "✓ → ✗"
    where: str  # "nop and readv on 6.1; waitid on 6.12 and 7.3"
    was: str | None  # why; None if irrelevant, or not the same for all
    now: str | None
    rerun: str | None  # for the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Changes that have the same reasons."""

    reasons: tuple[Reason, ...]
    groups: tuple[Group, ...]

    @property
    def flaky(self) -> bool:
        """Whether nothing explains them."""
        return self.reasons[0].cause is Cause.NOTHING


def render(difference: Difference) -> str:
    """For a terminal."""
    return "\n".join(_terminal(difference)) + "\n"


def markdown(difference: Difference) -> str:
    """For a job's summary or a commit message, so without headings: git drops lines that begin with #."""
    return "\n".join(_markdown(difference)) + "\n"


def subject(difference: Difference) -> str:
    """The difference on one line, as a sentence without its full stop."""
    if difference.nothing:
        return "nothing changed"
    if not difference.changes:
        cells = number(len(difference.new.cells), "cell")
        return f"{cells} as before, and {_in_short(difference.reasons)}"
    return counts(difference)


def counts(difference: Difference) -> str:
    """How many cells changed, and in which way; zeros are left out."""
    kinds = [change.kind for change in difference.changes]
    words = (
        (kinds.count(Kind.REGRESSION), "regression", "regressions"),
        (kinds.count(Kind.GONE), "cell gone", "cells gone"),
        (kinds.count(Kind.OTHER), "other change", "other changes"),
        (kinds.count(Kind.NEW), "new cell", "new cells"),
        (kinds.count(Kind.IMPROVEMENT), "improvement", "improvements"),
    )
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in words if count)


def sections(changes: Iterable[Change]) -> tuple[Section, ...]:
    """The changes grouped by reason: the most specific reason first, and within it the worst changes first."""
    by_reasons: dict[tuple[Reason, ...], list[Change]] = {}
    for change in changes:
        by_reasons.setdefault(change.reasons, []).append(change)
    ordered = sorted(by_reasons, key=lambda reasons: [list(Cause).index(reason.cause) for reason in reasons])
    return tuple(Section(reasons=reasons, groups=_groups(by_reasons[reasons])) for reasons in ordered)


def _groups(changes: Iterable[Change]) -> tuple[Group, ...]:
    alike: dict[tuple[str | None, ...], list[Change]] = {}
    for change in changes:
        key = (change.kind, _signs(change), _surprise(change.old), _surprise(change.new))
        alike.setdefault(key, []).append(change)
    groups = (_group(group) for group in alike.values())
    return tuple(sorted(groups, key=lambda group: list(Kind).index(group.kind)))


def _group(changes: list[Change]) -> Group:
    first = changes[0]
    return Group(
        kind=first.kind,
        signs=_signs(first),
        where=_where([change.cell for change in changes]),
        was=_common([change.old for change in changes]),
        now=_common([change.new for change in changes]),
        rerun=first.new.rerun if first.new and (first.old or first.new.surprise) else None,
    )


def _surprise(cell: Cell | None) -> str | None:
    """Surprises are grouped by their reason; quiet cells are all alike."""
    return reason_of(cell) if cell and cell.surprise else None


def _common(cells: list[Cell | None]) -> str | None:
    """The reason of these cells, if they all have the same one."""
    there = [cell for cell in cells if cell]
    same = len({reason_of(cell) for cell in there}) == 1
    return there[0].why if same else None


def _signs(change: Change) -> str:
    old, new = (text.cell_sign(cell) if cell else None for cell in (change.old, change.new))
    return f"new {new}" if old is None else f"{old} gone" if new is None else f"{old} → {new}"


def _where(cells: list[Cell]) -> str:
    """nop and readv on 6.1; 41 tests on 7.4"""
    tests: dict[tuple[str, str, str], list[str]] = {}
    for cell in cells:
        tests.setdefault((cell.series, cell.binding, text.under(cell.configuration)), []).append(cell.test)
    through = len({binding for _, binding, _ in tests}) > 1
    columns: dict[tuple[str, ...], list[str]] = {}
    for (series, binding, under), names in tests.items():
        place = f"{series} through {binding}" if through else series
        columns.setdefault(tuple(names), []).append(f"{place}{under}")
    return "; ".join(f"{_tests(names)} on {listed(where)}" for names, where in columns.items())


def _tests(names: tuple[str, ...]) -> str:
    return listed(names) if len(names) <= _MANY else number(len(names), "test")


def _title(section: Section) -> str:
    if section.flaky:
        return FLAKY
    return "; or: ".join(reason.says for reason in section.reasons)


def _without_effect(difference: Difference) -> list[str]:
    """Differences between the runs that explain none of the changed cells."""
    named = {reason for change in difference.changes for reason in change.reasons}
    return [reason.says for reason in difference.reasons if reason not in named]


def _in_short(reasons: tuple[Reason, ...]) -> str:
    first = _inert(foreign(reasons[0].says))
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return first[0].lower() + first[1:] + more


def _summary(difference: Difference) -> str:
    new = difference.new
    same = len(new.cells) - sum(change.new is not None for change in difference.changes)
    unchanged = f"{number(same, 'cell')} {'is as it was' if same == 1 else 'are as they were'}"
    return f"{counts(difference)}; {unchanged}" if difference.changes else f"No cell changed: {unchanged}"


def _run(results: Results) -> str:
    header = results.header
    date = datetime.fromisoformat(header.started).strftime("%-d %B %Y")
    changes = " with uncommitted changes" if header.dirty else ""
    return f"{date}, suite {header.suite or 'not committed'}{changes}, {text.headline(results)}"


def foreign(words: str) -> str:
    """A guest's words on one line, without control characters or paths of this machine."""
    return portable(printable(one_line(words, limit=1000)))


def _terminal(difference: Difference) -> Iterator[str]:
    yield f"Old: {_run(difference.old)}"
    yield f"New: {_run(difference.new)}"
    yield ""
    yield f"{_summary(difference)}."
    for section in sections(difference.changes):
        yield ""
        yield f"{foreign(_title(section))}."
        for group in section.groups:
            yield f"  {group.signs}  {foreign(group.where)}{_shout(group)}"
            for label, words in _details(group):
                yield f"      {label}: {foreign(words)}"
    if rest := _without_effect(difference):
        yield ""
        yield "Also different, without changing any cell:"
        yield from (f"  {foreign(says)}." for says in rest)


def _markdown(difference: Difference) -> Iterator[str]:
    yield f"- Old: {_code(_run(difference.old))}"
    yield f"- New: {_code(_run(difference.new))}"
    yield ""
    yield f"**{_summary(difference)}.**"
    for section in sections(difference.changes):
        yield ""
        yield f"**{_plain(_title(section))}.**"
        yield ""
        for group in section.groups:
            yield f"- {_code(group.signs)} {_code(group.where)}{_shout(group)}"
            for label, words in _details(group):
                yield f"  - {label}: {_code(words)}"
    if rest := _without_effect(difference):
        yield ""
        yield "Also different, without changing any cell:"
        yield ""
        yield from (f"- {_plain(says)}." for says in rest)


def _shout(group: Group) -> str:
    return f"  ({group.kind.upper()})" if group.kind in (Kind.REGRESSION, Kind.GONE) else ""


def _details(group: Group) -> Iterator[tuple[str, str]]:
    if group.was:
        yield "was", group.was
    if group.now:
        yield "now", group.now
    if group.rerun:
        yield "again", group.rerun


def _plain(words: str) -> str:
    """A guest's words as plain Markdown text: nothing in them is markup."""
    return plain(_inert(foreign(words)))


def _code(words: str) -> str:
    """A guest's words as inline code; a backtick would end it."""
    without = _inert(foreign(words)).replace("`", "'")
    return f"`{without}`"


def _inert(words: str) -> str:
    """The words without what a code-hosting site obeys in a commit's message, even in code: mentions, [skip ci], fixes #1."""
    return _OBEYED.sub(lambda found: f"{found[0]}\N{NO-BREAK SPACE}", words)
