"""Lies, and the expected outcome of each (conformance/catalogue/lies.toml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.base.words import nearest

EXPECTED = ROOT / "conformance" / "catalogue" / "lies.toml"
SCHEMA = EXPECTED.with_suffix(".schema.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The expected outcome of a lie: these tests are red, or none is, because. With both, no other test may be red."""

    caught_by: tuple[str, ...] = ()
    because: str = ""

    @property
    def survived(self) -> bool:
        """Whether tests that are not listed must stay green."""
        return bool(self.because)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A lie, what it says, and the tests that turned red, by row.

    A test that runs on rings of several sizes counts once, and is red if it is red on any.
    """

    name: str
    says: str
    kernel: str = ""  # the series of the kernel below it
    red: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    green: tuple[str, ...] = ()  # the other tests that ran; not published
    absent: tuple[str, ...] = ()  # those that this kernel is too old for, so they cannot catch anything; not published

    @property
    def tests(self) -> frozenset[str]:
        """All red tests."""
        return frozenset(test for tests in self.red.values() for test in tests)


def load(path: Path = EXPECTED) -> dict[str, Expectation]:
    """The expected outcome of each lie, by name; HarnessError if the file is not valid."""
    document = toml_file.load(path, SCHEMA)
    entries = [(name, Expectation(caught_by=tuple(tests))) for name, tests in document.get("caught_by", {}).items()]
    entries += [
        (name, Expectation(caught_by=tuple(one["tests"]), because=one["because"]))
        for name, one in document.get("caught_only_by", {}).items()
    ]
    entries += [(name, Expectation(because=why)) for name, why in document.get("survived", {}).items()]
    expected: dict[str, Expectation] = {}
    for name, expectation in entries:
        if expected.setdefault(name, expectation) is not expectation:
            raise HarnessError(f"{path.name}: the lie {name!r} is listed twice. Remove one.")
    return expected


def agree(expected: Mapping[str, Expectation], known: Iterable[Lie]) -> None:
    """HarnessError unless the program and the file have the same lies."""
    names = [lie.name for lie in known]
    for name in names:
        if name not in expected:
            raise HarnessError(
                f"conformance/catalogue/lies.toml has no expected outcome for the lie {name!r}. Add it there."
            )
    for name in expected:
        if name not in names:
            raise HarnessError(
                f"conformance/catalogue/lies.toml has {name!r}, which is not a lie of the program. {nearest(name, names)}"
            )


def objections(lie: Lie, expectation: Expectation) -> list[str]:
    """Where the run differs from the file, as sentences."""
    found = []
    for test in expectation.caught_by:
        if test in lie.absent:
            continue
        if test in lie.green:
            found.append(f"{lie.name} is no longer caught by {test}.")
        elif test not in lie.tests:
            found.append(
                f"{lie.name} must be caught by {test}, which did not run. Is the name right, or did its row end early?"
            )
    if expectation.survived:
        red = sorted(lie.tests - set(expectation.caught_by))
        found += [f"{test} must still pass under {lie.name}, but failed." for test in red]
    return found
