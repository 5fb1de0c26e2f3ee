"""`ci/nightly`: the whole matrix with the newest kernels, what changed since the committed reports, and the commit."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.base import command_line
from harness.base.errors import HarnessError
from harness.base.exits import INTERRUPTED, OK, SURPRISES, TROUBLE
from harness.base.git import Git
from harness.base.paths import RESULTS, ROOT
from harness.base.words import number
from harness.commands import diff, plan
from harness.matrix import publish
from harness.matrix.column import MACHINES
from harness.report import changes, folder, text, view
from harness.results.compare import Difference, Kind, compare
from harness.results.file import started
from harness.results.model import Results, utc_now
from harness.suite import catalogue

PLACE = ROOT / "build" / "nightly"
COMMITTED = ("reports", "README.md")  # and nothing else, ever
TEXT, MARKDOWN = "changes.txt", "changes.md"

_EPILOG = """\
Everything stays in build/nightly, whatever happens: results.ndjson and the reports (index.html and others), the
console of each machine below machines/, and what changed as changes.txt and changes.md. With --commit, reports/ and README.md are updated and committed,
with the changes as the message; when nothing changed there is no commit. A run with surprises is published, too:
that is what it is for.

Exit code: 0 all is as it should be, 1 findings (surprises, or cells that are gone), 2 our own trouble."""


@dataclass(slots=True)
class NightlyRun:
    """What came of it, for the last words."""

    findings: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    outcome: str = "Nothing was committed."

    @property
    def exit_code(self) -> int:
        """HarnessError outweighs findings: what is found may not be all there is."""
        return TROUBLE if self.troubles else SURPRISES if self.findings else OK


def main(arguments: Sequence[str]) -> int:
    """Run, compare, publish, and end with what a person must know."""
    options = _parser().parse_args(arguments)
    git = Git(ROOT)
    if options.commit:
        _demand_clean(git)
        git.demand_identity()
    night = NightlyRun()
    code = _obtain(options.results, options.into, night)
    if code == INTERRUPTED:
        print(f"Interrupted. The results so far are in {options.into}.")
        return INTERRUPTED
    try:
        whole = diff.load(str(options.into))
        folder.fill(options.into, whole, catalogue.load(), top=ROOT, machines=MACHINES)
        found = compare(diff.load("HEAD"), whole)
        print(_told(found, options.into, options.summary))
        night.findings += _findings(whole, found)
        _conclude(night, git, whole, found, options)
    except HarnessError as trouble:
        night.troubles.append(str(trouble))
    print("\n".join(_last_words(night, options.into)))
    return night.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = command_line.parser(
        "nightly", "Runs the whole matrix with the newest kernels of the archive, and compares it with the committed reports.", _EPILOG
    )
    parser.add_argument("--commit", action=argparse.BooleanOptionalAction, default=False,
                        help="commit reports/ and README.md if anything changed (the tree must be clean)")  # fmt: skip
    parser.add_argument("--results", type=Path, metavar="DIR", help="take the results in DIR, such as ci/merge's, instead of running")
    plan.add_options(parser)
    parser.add_argument("--into", type=Path, default=PLACE, metavar="DIR", help="where everything is left (default: build/nightly)")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append what changed to FILE, as Markdown")
    return parser


def _demand_clean(git: Git) -> None:
    if changed := git.changes():
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise HarnessError(
            f"--commit needs a clean tree, and there are changes: {', '.join(changed[:3])}{more}. "
            "Commit or remove them, or leave out --commit."
        )


def _obtain(source: Path | None, into: Path, night: NightlyRun) -> int:
    """Bring the results to their place; the exit code of the matrix, where it had to run."""
    try:
        into.mkdir(parents=True, exist_ok=True)
        for stale in (TEXT, MARKDOWN):  # of an earlier night; should this one fail, they would seem to be its own
            (into / stale).unlink(missing_ok=True)
        if source is not None:
            _bring(source, into)
            return OK
    except OSError as error:
        raise HarnessError(f"The results cannot go to {into}: {error}. Name another place with --into.") from error
    began = utc_now()
    code = _run_matrix(into)
    if code not in (OK, SURPRISES, INTERRUPTED):
        night.troubles.append("ci/matrix had trouble of its own; what it said is above.")
        if not _is_of_this_night(into / RESULTS, began):
            raise HarnessError(f"ci/matrix left no results, so there is nothing to compare. {into} is as it was.")
    return code


def _bring(source: Path, into: Path) -> None:
    if not (source / RESULTS).is_file():
        raise HarnessError(f"There is no {RESULTS} in {source}. Make it with ci/matrix --results or with ci/merge --into.")
    if source.resolve() == into.resolve():
        return
    shutil.copyfile(source / RESULTS, into / RESULTS)
    shutil.rmtree(into / MACHINES, ignore_errors=True)
    if (source / MACHINES).exists():
        shutil.copytree(source / MACHINES, into / MACHINES)


def _run_matrix(into: Path) -> int:
    """The whole matrix. It is in a process group of its own, and told once when we are to stop: it ends in order."""
    asked: list[int] = []  # signals. A handler that raised could do so while the process is being started
    before = {number: signal.signal(number, lambda got, frame: asked.append(got)) for number in (signal.SIGINT, signal.SIGTERM)}
    command = [str(ROOT / "ci" / "matrix"), "--refresh", "--fresh-boot", "--results", str(into.resolve())]
    try:
        with subprocess.Popen(command, process_group=0) as process:
            while not asked and process.poll() is None:
                time.sleep(0.1)
            if asked:
                process.send_signal(signal.SIGINT)
            return process.wait()
    finally:
        for handled, handler in before.items():
            signal.signal(handled, handler)


def _is_of_this_night(path: Path, began: str) -> bool:
    """Whether a results file was begun since then, be it whole or not."""
    try:
        with path.open(encoding="utf-8") as file:
            return started(file.readline()) >= began
    except (OSError, UnicodeDecodeError, HarnessError):
        return False


def _told(found: Difference, into: Path, summary: Path | None) -> str:
    """Keep what changed where people and CI look for it; the same for the terminal."""
    try:
        (into / TEXT).write_text(changes.render(found), encoding="utf-8")
        (into / MARKDOWN).write_text(changes.markdown(found), encoding="utf-8")
        if summary is not None:
            with summary.open("a", encoding="utf-8") as file:
                file.write(changes.markdown(found))
    except OSError as error:
        raise HarnessError(f"What changed cannot be written down: {error}. The results are in {into}.") from error
    return changes.render(found)


def _findings(whole: Results, found: Difference) -> Iterator[str]:
    """What a person has to look at: every surprise, old ones too, and what nobody looks at any more."""
    for finding in text.findings(whole):
        tests = ", ".join(finding.tests[:3]) if len(finding.tests) <= 3 else number(len(finding.tests), "test")
        again = f"\n      {finding.rerun}" if finding.rerun else ""
        through = view.through(whole, finding.binding)
        yield f"{finding.sign} {tests} on {finding.series}{through}: {changes.foreign(finding.why)}{again}"
    gone = [change for change in found.changes if change.kind is Kind.GONE]
    for reason in dict.fromkeys(reason.says for change in gone for reason in change.reasons):
        yield f"{changes.foreign(reason)}."


def _conclude(night: NightlyRun, git: Git, whole: Results, found: Difference, options: argparse.Namespace) -> None:
    """Publish and commit, where that is wanted, possible and of any use."""
    columns = plan.chosen(options.kernels, options.plan)
    if reason := publish.hindrance(whole, columns):
        raise HarnessError(f"These results cannot be published: {reason}")
    if found.nothing:
        night.outcome = "Nothing changed, so there is nothing to commit."
    elif not options.commit:
        night.outcome = "Nothing was committed: that is what --commit does."
    elif night.troubles:
        night.outcome = "Nothing was committed, because of the trouble."
    else:
        _demand_clean(git)  # still, after all this time
        _demand_this_suite(git, whole)
        publish.publish_results(options.into, columns)
        subject = f"reports: {changes.subject(found)}"
        git.commit(COMMITTED, f"{subject}\n\n{changes.markdown(found)}")
        night.outcome = f"Committed: {subject}"


def _demand_this_suite(git: Git, whole: Results) -> None:
    """What is committed on top of a commit must be its own results."""
    head, suite = git.commit_of("HEAD") or "", whole.header.suite
    if whole.header.dirty or not suite or not head.startswith(suite):
        changed = " with uncommitted changes" if whole.header.dirty else ""
        raise HarnessError(
            f"The results are of suite {suite}{changed}, and HEAD is {head[:12]}: they are not committed on top of it. "
            "Run ci/nightly again."
        )


def _last_words(night: NightlyRun, into: Path) -> Iterator[str]:
    yield "=" * 100
    for title, lines in (("FINDINGS", night.findings), ("OUR OWN TROUBLE", night.troubles)):
        if lines:
            yield f"{title}:"
            yield from (f"  {line}" for line in lines)
    if not night.findings and not night.troubles:
        yield "All is as it should be."
    yield f"{night.outcome} Everything is in {into}."
