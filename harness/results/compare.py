# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What changed between two runs, cell by cell, and the possible causes. Does no input or output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from harness.results.model import Cell, Header, Kernel, Position, Results
from harness.suite.binding import is_ours

_IMAGE_DIGITS = 12  # shown of a digest
_VARIES = re.compile(r"0x[0-9a-fA-F]+|\d+(\.\d+)? m?s\b")  # from run to run, even if nothing changed


class Cause(StrEnum):
    """Possible causes of a changed cell, the most specific first. Reports list them in this order."""

    NEW = "new"  # the test, the kernel or the binding was added
    GONE = "gone"
    KERNEL = "kernel"
    TEST = "test"  # its own source
    CATALOGUE = "catalogue"
    BINDING = "binding"
    SUPPORT = "support"
    HARNESS = "harness"
    SUITE = "suite"  # some part of it: one of the runs does not say which
    MACHINE = "machine"  # that the kernel ran on
    NOTHING = "nothing"  # that we know of


class Kind(StrEnum):
    """What a change means to a person."""

    REGRESSION = "regression"  # a quiet cell became a surprise
    GONE = "gone"
    OTHER = "other"  # from one surprise to another, or from one quiet verdict to another
    NEW = "new"
    IMPROVEMENT = "improvement"  # a surprise became quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A cause with its details."""

    cause: Cause
    says: str  # a sentence without its full stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A cell that changed. `old` is None if the cell is new, `new` is None if it is gone."""

    old: Cell | None
    new: Cell | None
    reasons: tuple[Reason, ...]  # all possible causes, the most specific first; never empty

    @property
    def cell(self) -> Cell:
        """The cell as it is now, or as it last was."""
        cell = self.new or self.old
        assert cell is not None
        return cell

    @property
    def kind(self) -> Kind:
        """What the change means."""
        if self.old is None:
            return Kind.NEW
        if self.new is None:
            return Kind.GONE
        if self.old.surprise == self.new.surprise:
            return Kind.OTHER
        return Kind.REGRESSION if self.new.surprise else Kind.IMPROVEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two runs compared."""

    old: Results
    new: Results
    changes: tuple[Change, ...]  # in the order of the new run's plan; cells that are gone come last
    reasons: tuple[Reason, ...]  # every difference between the runs, whether or not a cell changed

    @property
    def nothing(self) -> bool:
        """Whether the new run says the same as the old one."""
        return not self.changes and not self.reasons

    def regressions(self, *, allow_gone: bool = False) -> tuple[Change, ...]:
        """The changes for the worse. A cell that is gone counts, because it is no longer tested."""
        bad = {Kind.REGRESSION} if allow_gone else {Kind.REGRESSION, Kind.GONE}
        return tuple(change for change in self.changes if change.kind in bad)


def compare(old: Results, new: Results) -> Difference:
    """Everything that differs in `new`."""
    before, after = old.by_position(), new.by_position()
    positions = dict.fromkeys((*new.header.plan.positions(), *old.header.plan.positions()))
    blame = _Blame(old, new)
    return Difference(
        old=old,
        new=new,
        changes=tuple(
            Change(old=before.get(position), new=after.get(position), reasons=blame.reasons(position))
            for position in positions
            if _differs(before.get(position), after.get(position))
        ),
        reasons=blame.everything(),
    )


def reason_of(cell: Cell) -> str:
    """Why the cell has its verdict, without the parts that vary from run to run."""
    return steady(cell.why)


def steady(words: str) -> str:
    """The words without the parts that vary from run to run: addresses and times."""
    return _VARIES.sub("#", words)


def _differs(old: Cell | None, new: Cell | None) -> bool:
    if old is None or new is None:
        return True
    # A red cell with a new reason counts as changed; of a quiet cell only the verdict counts.
    return old.verdict is not new.verdict or (new.surprise and reason_of(old) != reason_of(new))


class _Blame:
    """Finds the reasons for a changed cell from the facts about the two runs."""

    def __init__(self, old: Results, new: Results) -> None:
        self._old, self._new = old.header, new.header
        self._old_kernels = {kernel.series: kernel for kernel in old.kernels}
        self._new_kernels = {kernel.series: kernel for kernel in new.kernels}

    def reasons(self, position: Position) -> tuple[Reason, ...]:
        """The possible causes for this cell."""
        test, series, binding, _ = position
        if came := self._came(Cause.NEW, self._old, self._new_kernels, position, "is new"):
            return came
        if went := self._came(
            Cause.GONE, self._new, self._old_kernels, position, "is gone: the new run did not have it"
        ):
            return went
        found = (
            *self._kernel(series), *self._test(test), *self._catalogue(), *self._binding(series, binding), *self._shared(),
            *self._suite(), *self._machine(series),
        )  # fmt: skip
        return found or (Reason(cause=Cause.NOTHING, says="Nothing we know of changed"),)

    def everything(self) -> tuple[Reason, ...]:
        """All reasons for any cell of the two runs."""
        found: list[Reason] = []
        for position in dict.fromkeys((*self._new.plan.positions(), *self._old.plan.positions())):
            found += (reason for reason in self.reasons(position) if reason.cause is not Cause.NOTHING)
        return tuple(sorted(dict.fromkeys(found), key=lambda reason: list(Cause).index(reason.cause)))

    def _came(
        self, cause: Cause, other: Header, kernels: dict[str, Kernel], position: Position, says: str
    ) -> tuple[Reason, ...]:
        """The cell's names (test, kernel, binding, configuration) that the other run lacks."""
        test, series, binding, configuration = position
        found = []
        if test not in other.plan.tests:
            found.append(f"The test {test} {says}")
        if series not in other.plan.kernels:
            kernel = kernels.get(series)
            found.append(f"The kernel {series}{f' ({_short(kernel)})' if kernel else ''} {says}")
        if binding not in other.plan.bindings:
            found.append(f"The binding {binding} {says}")
        if configuration not in other.plan.configurations:
            found.append(f"The configuration {configuration} {says}")
        return tuple(Reason(cause=cause, says=sentence) for sentence in found)

    def _kernel(self, series: str) -> Iterator[Reason]:
        old, new = self._old_kernels[series], self._new_kernels[series]
        if not _same(old, new):
            before, after = _short(old), _short(new)
            if before == after:
                before, after = _long(old), _long(new)
            yield Reason(cause=Cause.KERNEL, says=f"The kernel of {series} changed: {before} → {after}")

    def _test(self, test: str) -> Iterator[Reason]:
        old, new = self._old.made_of, self._new.made_of
        if old and new and old.tests.get(test) != new.tests.get(test):
            yield Reason(cause=Cause.TEST, says=f"The source of the test {test} changed")

    def _catalogue(self) -> Iterator[Reason]:
        old, new = self._old.made_of, self._new.made_of
        if old and new and old.catalogue != new.catalogue:
            yield Reason(
                cause=Cause.CATALOGUE, says="The catalogue changed, which says since when a test must pass"
            )

    def _binding(self, series: str, binding: str) -> Iterator[Reason]:
        before, after = (
            kernels[series].bindings.get(binding) for kernels in (self._old_kernels, self._new_kernels)
        )
        if before and after and before != after:
            yield Reason(
                cause=Cause.BINDING, says=f"The version of the binding {binding} changed: {before} → {after}"
            )
        old, new = self._old.made_of, self._new.made_of
        if old is None or new is None:
            return
        if is_ours(binding):
            if old.binding != new.binding:
                yield Reason(cause=Cause.BINDING, says="The binding changed")
        elif (old.adapters.get(binding), old.binding) != (new.adapters.get(binding), new.binding):
            says = f"The program of the binding {binding} changed: our adapters, the parts of our binding that they use, or the file"
            yield Reason(cause=Cause.BINDING, says=says)

    def _shared(self) -> Iterator[Reason]:
        old, new = self._old.made_of, self._new.made_of
        if old is None or new is None:
            return
        if old.support != new.support:
            yield Reason(
                cause=Cause.SUPPORT,
                says="What all tests share (conformance/ outside the rows, the build) changed",
            )
        if old.harness != new.harness:
            yield Reason(cause=Cause.HARNESS, says="The harness changed")

    def _suite(self) -> Iterator[Reason]:
        """Without digests, only the commit can tell."""
        if self._old.made_of and self._new.made_of:
            return
        same = self._old.suite is not None and self._old.suite == self._new.suite
        if not same or self._old.dirty or self._new.dirty:
            says = f"Some part of the suite changed: {_commit(self._old)} → {_commit(self._new)}"
            silent = "old" if self._old.made_of is None else "new"
            yield Reason(cause=Cause.SUITE, says=f"{says} (the {silent} results do not say which part)")

    def _machine(self, series: str) -> Iterator[Reason]:
        old, new = self._old_kernels[series], self._new_kernels[series]
        before, after = _accelerator(old), _accelerator(new)
        if before and after and before != after:
            yield Reason(
                cause=Cause.MACHINE,
                says=f"The virtual machine of {series} now runs with {after}, not {before}",
            )
        if before is None and after is None:  # the host
            for fact in ("machine", "cpus"):
                was, now = self._old.host.get(fact), self._new.host.get(fact)
                if None not in (was, now) and was != now:
                    yield Reason(
                        cause=Cause.MACHINE, says=f"The machine itself changed: {fact} {was} → {now}"
                    )


def _same(old: Kernel, new: Kernel) -> bool:
    """Whether both are the same kernel. If one never answered, only its image can tell."""
    if old.sha256 and new.sha256:
        return old.sha256 == new.sha256
    silent = old.release is None or new.release is None
    return old.source == new.source and (silent or (old.release, old.version) == (new.release, new.version))


def _short(kernel: Kernel) -> str:
    """The version of the package; for a kernel without a package, the release that it reports."""
    package = re.fullmatch(r"\S+ linux-\S+ (\S+)", kernel.source)
    return package[1] if package else kernel.release or kernel.source


def _long(kernel: Kernel) -> str:
    image = f", image {kernel.sha256[:_IMAGE_DIGITS]}" if kernel.sha256 else ""
    return f"{kernel.source} ({kernel.version or 'never answered'}{image})"


def _accelerator(kernel: Kernel) -> str | None:
    return kernel.accelerator.name if kernel.accelerator else None


def _commit(header: Header) -> str:
    return f"{header.suite or 'no commit'}{' with changes' if header.dirty else ''}"
