"""Lies, and the expected outcome of each (conformance/catalogue/lies.toml)."""

from __future__ import annotations
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.suite.catalogue import nearest


EXPECTED = ROOT / "conformance" / "catalogue" / "lies.toml"


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
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HarnessError(f"{path} cannot be read: {error}. Correct it, or restore it from git.") from error
    expected: dict[str, Expectation] = {}
    for kind, entries in document.items():
        if kind not in _KINDS:
            raise HarnessError(f"{path.name}: unknown table {kind!r}. {nearest(kind, _KINDS)}")
        for name, value in entries.items():
            if name in expected:
                raise HarnessError(f"{path.name}: the lie {name!r} is listed twice. Remove one.")
            expected[name] = _expectation(f"{path.name}, {kind}.{name}", kind, value)
    return expected


_KINDS = ("caught_by", "caught_only_by", "survived")


def _expectation(where: str, kind: str, value: Any) -> Expectation:
    if kind == "caught_only_by":
        if not isinstance(value, dict) or set(value) != {"tests", "because"}:
            raise HarnessError(f"{where} must have tests and because, and nothing else.")
        return Expectation(caught_by=_tests(where, value["tests"]), because=_sentence(where, value["because"]))
    if kind == "survived":
        return Expectation(because=_sentence(where, value))
    return Expectation(caught_by=_tests(where, value))


def _tests(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(test, str) and test for test in value):
        raise HarnessError(f'{where} must name tests, such as ["Nop.MovesEveryIndexByOne"].')
    return tuple(value)


def _sentence(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise HarnessError(f"{where} must say why, in a sentence.")
    return value


def agree(expected: Mapping[str, Expectation], known: Iterable[Lie]) -> None:
    """HarnessError unless the program and the file have the same lies."""
    names = [lie.name for lie in known]
    for name in names:
        if name not in expected:
            raise HarnessError(f"conformance/catalogue/lies.toml has no expected outcome for the lie {name!r}. Add it there.")
    for name in expected:
        if name not in names:
            raise HarnessError(f"conformance/catalogue/lies.toml has {name!r}, which is not a lie of the program. {nearest(name, names)}")


def objections(lie: Lie, expectation: Expectation) -> list[str]:
    """Where the run differs from the file, as sentences."""
    found = []
    for test in expectation.caught_by:
        if test in lie.absent:
            continue
        if test in lie.green:
            found.append(f"{lie.name} is no longer caught by {test}.")
        elif test not in lie.tests:
            found.append(f"{lie.name} must be caught by {test}, which did not run. Is the name right, or did its row end early?")
    if expectation.survived:
        red = sorted(lie.tests - set(expectation.caught_by))
        found += [f"{test} must still pass under {lie.name}, but failed." for test in red]
    return found
