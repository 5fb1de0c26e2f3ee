# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The findings as data: one JSON line per mutant, in the order of the headers.

build/mutants/mutants.ndjson is the last complete run on this machine. The current run saves its findings in the builder's folder at once. A
killed mutant is not tried again while the headers and the file of the test that killed it are unchanged; a survivor is not
tried again while all tests are unchanged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base import json_input, toml_file
from harness.base.errors import HarnessError
from harness.base.paths import BUILD, ROOT
from harness.base.process import run
from harness.mutation.builder import digest_of
from harness.mutation.mutants import Mutant
from harness.mutation.trial import Finding, Verdict, Witness

EXEMPTIONS = Path(__file__).with_name("equivalents.toml")
SCHEMA = EXEMPTIONS.with_suffix(".schema.json")
LAST = BUILD / "mutants" / "mutants.ndjson"

_SUFFIXES = (".h", ".cc", ".py", ".inc", ".cmake", ".txt")
#: The files that decide which checks run, and how.
_TRIAL = tuple(Path(__file__).with_name(name) for name in ("schemata.py", "trial.py", "builder.py"))


@dataclass(frozen=True)
class Entry:
    """A mutant and its outcome. `ci/harness mutate ID` shows its place in the header and the change."""

    id: str
    kind: str
    file: str
    change: str
    verdict: str
    scope: str = ""
    witness: str = ""
    killer: str = ""
    how: str = ""
    why: str = ""

    @property
    def title(self) -> str:
        return f"{self.file}, {self.scope}: {self.change}" if self.scope else f"{self.file}: {self.change}"


def entry(mutant: Mutant, finding: Finding) -> Entry:
    """The entry for a mutant."""
    return Entry(
        mutant.id, mutant.kind, mutant.file, mutant.change, str(finding.verdict), mutant.scope,
        str(finding.witness or ""), finding.killer, finding.how, mutant.why,
    )  # fmt: skip


def read(path: Path) -> dict[str, Entry]:
    """The entries of a file, by id; none if there is no file."""
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            one = Entry(**json_input.parse(line))
        except (ValueError, TypeError) as error:
            raise HarnessError(
                f"{path}, line {number}, is not an entry of this version: {error}. Run ci/harness mutate again."
            ) from error
        found[one.id] = one
    return found


def text(entries: Iterable[Entry]) -> str:
    """The text of the file. Empty fields are left out."""
    return "".join(
        json.dumps({key: value for key, value in vars(one).items() if value}) + "\n" for one in entries
    )


class Journal:
    """Findings of this and earlier runs that are still valid."""

    def __init__(self, path: Path, sources: Sources | None = None) -> None:
        self._path = path
        self._sources = sources or Sources()
        self.known: dict[str, Finding] = {}
        self.earlier: dict[str, Finding] = {}  # valid no more, but likely
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            try:
                words: dict[str, Any] = json_input.parse(line)
            except ValueError:  # the last line of a run that was killed
                continue
            made_from, key = words.pop("sources"), words.pop("id")
            finding = _finding(words)
            self.earlier[key] = finding
            if made_from == self._sources.of(finding):
                self.known[key] = finding

    def add(self, mutant: Mutant, finding: Finding) -> None:
        """Save a finding at once."""
        self.known[mutant.id] = finding
        self._path.parent.mkdir(parents=True, exist_ok=True)
        words = {key: value for key, value in vars(finding).items() if value}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"sources": self._sources.of(finding), "id": mutant.id, **words}) + "\n")


class Sources:
    """Digests of what findings depend on."""

    def __init__(self, top: Path = ROOT) -> None:
        include, units, suite = top / "bindings" / "include", top / "bindings" / "tests", top / "conformance"
        tests = [*sorted(units.glob("*_test.cc")), *sorted(suite.rglob("*_test.cc"))]
        self._texts = {path: path.read_text(encoding="utf-8") for path in tests}
        self._looks = [
            *sorted(units.glob("*_test.py")),
            *units.glob("emitted_code.cc"),
            *units.glob("surface_is_complete.cmake"),
        ]
        self._all = digest_of(path for folder in (include, units, suite) for path in _files(folder))
        # Another kernel or compiler may give another answer.
        tools = "".join(
            map(_first_line, (("uname", "-r"), ("g++", "--version"), ("aarch64-linux-gnu-g++", "--version")))
        )
        shared = [
            path
            for folder in (include, units, suite)
            for path in _files(folder)
            if path not in self._texts and path not in self._looks
        ]
        self._base = f"{digest_of([*shared, *_TRIAL])}{tools}"

    def of(self, finding: Finding) -> str:
        """The digest of everything that this finding depends on."""
        suite, _, name = finding.killer.partition("/")[0].partition(".")
        homes = [path for path, text in self._texts.items() if name and f"{suite}, {name})" in text]
        if finding.witness is Witness.CODE:
            homes = self._looks
        if finding.verdict is not Verdict.KILLED or not homes:
            return hashlib.sha256(f"{self._all}{self._base}".encode()).hexdigest()
        return hashlib.sha256(f"{digest_of(homes)}{self._base}".encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in _SUFFIXES)


def _first_line(command: Sequence[str]) -> str:
    return run(command, remedy="ci/install brings it.").output.partition("\n")[0]


def _finding(words: Mapping[str, str]) -> Finding:
    witness = words.get("witness")
    return Finding(
        Verdict(words["verdict"]),
        Witness(witness) if witness else None,
        words.get("killer", ""),
        words.get("how", ""),
    )


# --- known survivors --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exemption:
    """Why a mutant may survive. An equivalent one provably changes nothing; one out of reach cannot be seen from here."""

    is_equivalent: bool
    reason: str


def exemptions(mutants: Sequence[Mutant], path: Path = EXEMPTIONS) -> dict[str, Exemption]:
    """The exemptions by mutant id. HarnessError if one names a mutant that does not exist."""
    titles = {mutant.id: mutant.title for mutant in mutants}
    found: dict[str, Exemption] = {}
    groups = toml_file.load(path, SCHEMA)
    for name, is_equivalent in (("equivalent", True), ("out_of_reach", False)):
        for group in groups.get(name, ()):
            for mutant in group["mutants"]:
                key, _, title = mutant.partition(" ")
                if titles.get(key) != title:
                    raise HarnessError(
                        f"{path.name} exempts {mutant!r}, but there is no such mutant (any more). If its line was changed, check "
                        "that the reason still holds, then write the new name, which ci/harness mutate --list shows."
                    )
                if key in found:
                    raise HarnessError(f"{path.name} exempts {mutant!r} twice. Remove one.")
                found[key] = Exemption(is_equivalent, " ".join(group["reason"].split()))
    return found
