"""What was found, as data: one JSON line for each mutant, in the order of the headers.

build/mutants/mutants.ndjson is the last complete run on this machine. The findings of the run under way are kept in the builder's folder as
they are made. That a mutant dies is not found out again as long as the headers and the file of the test that killed it are
the same; that it survives, only as long as all tests are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.base.process import run
from harness.mutation.mutants import Mutant
from harness.mutation.trial import Finding, Verdict, Witness
from harness.mutation.builder import digest_of

EXEMPTIONS = Path(__file__).with_name("equivalents.toml")
SCHEMA = EXEMPTIONS.with_suffix(".schema.json")
LAST = ROOT / "build" / "mutants" / "mutants.ndjson"

_SUFFIXES = (".h", ".cc", ".py", ".inc", ".cmake", ".txt")
#: What decides who is asked, and how.
_TRIAL = tuple(Path(__file__).with_name(name) for name in ("schemata.py", "trial.py", "builder.py"))


@dataclass(frozen=True)
class Entry:
    """A mutant and what became of it. Its place in the header, and the change itself, `ci/mutate ID` shows."""

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
    """The line for a mutant."""
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
            one = Entry(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise HarnessError(f"{path}, line {number}, is no entry of this version: {error}. Run ci/mutate again.") from error
        found[one.id] = one
    return found


def text(entries: Iterable[Entry]) -> str:
    """The file's text. Empty fields are left out."""
    return "".join(json.dumps({key: value for key, value in vars(one).items() if value}) + "\n" for one in entries)


class Journal:
    """Findings of this and earlier runs, as far as they still hold."""

    def __init__(self, path: Path, sources: Sources | None = None) -> None:
        self._path = path
        self._sources = sources or Sources()
        self.known: dict[str, Finding] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            try:
                words: dict[str, Any] = json.loads(line)
            except ValueError:  # the last line of a run that was killed
                continue
            made_from, key = words.pop("sources"), words.pop("id")
            finding = _finding(words)
            if made_from == self._sources.of(finding):
                self.known[key] = finding

    def add(self, mutant: Mutant, finding: Finding) -> None:
        """Keep a finding, whatever happens next."""
        self.known[mutant.id] = finding
        self._path.parent.mkdir(parents=True, exist_ok=True)
        words = {key: value for key, value in vars(finding).items() if value}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"sources": self._sources.of(finding), "id": mutant.id, **words}) + "\n")


class Sources:
    """Digests of what findings depend on."""

    def __init__(self, top: Path = ROOT) -> None:
        include, units, suite = top / "bindings" / "include", top / "bindings" / "tests", top / "conformance"
        tests = [*sorted(units.glob("*_test.cc")), *sorted(suite.glob("*_test.cc"))]
        self._texts = {path: path.read_text(encoding="utf-8") for path in tests}
        self._looks = [*sorted(units.glob("*_test.py")), *units.glob("emitted_code.cc"), *units.glob("surface_is_complete.cmake")]
        self._all = digest_of(path for folder in (include, units, suite) for path in _files(folder))
        # Another kernel or compiler may answer otherwise.
        tools = "".join(map(_first_line, (("uname", "-r"), ("g++", "--version"), ("aarch64-linux-gnu-g++", "--version"))))
        shared = [path for folder in (include, units, suite) for path in _files(folder)
                  if path not in self._texts and path not in self._looks]
        self._base = f"{digest_of([*shared, *_TRIAL])}{tools}"

    def of(self, finding: Finding) -> str:
        """What this finding was made from."""
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
    return Finding(Verdict(words["verdict"]), Witness(witness) if witness else None, words.get("killer", ""), words.get("how", ""))


# --- survivors that are known -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exemption:
    """Why a mutant may survive. An equivalent is proved to be no change; what is out of reach cannot be seen from here."""

    is_equivalent: bool
    reason: str


def exemptions(mutants: Sequence[Mutant], path: Path = EXEMPTIONS) -> dict[str, Exemption]:
    """The exemptions, by mutants' ids. HarnessError if one names a mutant that there is not."""
    titles = {mutant.id: mutant.title for mutant in mutants}
    found: dict[str, Exemption] = {}
    groups = toml_file.load(path, SCHEMA)
    for name, is_equivalent in (("equivalent", True), ("out_of_reach", False)):
        for group in groups.get(name, ()):
            for mutant in group["mutants"]:
                key, _, title = mutant.partition(" ")
                if titles.get(key) != title:
                    raise HarnessError(
                        f"{path.name} exempts {mutant!r}, and there is no such mutant (any more). Was its line changed? Then "
                        "think its reason through again, and write down the new name, which ci/mutate --list shows."
                    )
                if key in found:
                    raise HarnessError(f"{path.name} exempts {mutant!r} twice; once is enough.")
                found[key] = Exemption(is_equivalent, " ".join(group["reason"].split()))
    return found
