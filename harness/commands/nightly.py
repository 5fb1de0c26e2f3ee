# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/nightly`: runs the whole matrix on the newest kernels, compares it with the committed reports, and commits."""

from __future__ import annotations

import argparse
import os
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
from harness.base.output import say
from harness.base.paths import BUILD, RESULTS, ROOT
from harness.base.words import number
from harness.commands import diff, plan
from harness.matrix import publish
from harness.matrix.column import MACHINES
from harness.report import changes, folder, text, view
from harness.results.compare import Difference, Kind, compare
from harness.results.file import started
from harness.results.model import Results, utc_now
from harness.suite import catalogue

PLACE = BUILD / "nightly"
COMMITTED = ("reports", "README.md")  # never anything else
TEXT, MARKDOWN = "changes.txt", "changes.md"

_EPILOG = """\
Everything stays in build/nightly in any case: results.ndjson and the reports (index.html and others), the console of
each machine below machines/, and the changes as changes.txt and changes.md. With --commit, reports/ and README.md are
updated and committed, with the changes as the message; if nothing changed there is no commit. A run with surprises is
published, too: that is the point of it.

Exit code: 0 as expected, 1 findings (surprises, or cells that are gone), 2 a harness error."""


@dataclass(slots=True)
class NightlyRun:
    """The outcome of the run, for the final message."""

    findings: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    outcome: str = "Nothing was committed."

    @property
    def exit_code(self) -> int:
        """A harness error outweighs findings, because there may be more of them."""
        return TROUBLE if self.troubles else SURPRISES if self.findings else OK


def main(arguments: Sequence[str]) -> int:
    """Run, compare and publish, then print a summary."""
    options = _parser().parse_args(arguments)
    git = Git(ROOT)
    if options.commit:
        _demand_clean(git)
        git.demand_identity()
    night = NightlyRun()
    code = _obtain(options.results, options.into, night)
    if code == INTERRUPTED:
        say(f"Interrupted. The results so far are in {options.into}.")
        return INTERRUPTED
    try:
        whole = diff.load(str(options.into))
        folder.fill(options.into, whole, catalogue.load(), top=ROOT, machines=MACHINES)
        found = compare(diff.load("HEAD"), whole)
        say(_told(found, options.into, options.summary))
        night.findings += _findings(whole, found)
        _conclude(night, git, whole, found, options)
    except HarnessError as error:
        night.troubles.append(str(error))
    say("\n".join(_last_words(night, options.into)))
    return night.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = command_line.parser(
        "nightly",
        "Runs the whole matrix on the newest kernels of the archive, and compares it with the committed reports.",
        _EPILOG,
    )
    parser.add_argument("--commit", action=argparse.BooleanOptionalAction, default=False,
                        help="commit reports/ and README.md if anything changed (the tree must be clean)")  # fmt: skip
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="use the results in DIR, such as ci/harness merge's, instead of running",
    )
    plan.add_options(parser)
    parser.add_argument(
        "--into",
        type=Path,
        default=PLACE,
        metavar="DIR",
        help="where everything goes (default: build/nightly)",
    )
    parser.add_argument(
        "--summary", type=Path, metavar="FILE", help="append the changes to FILE, as Markdown"
    )
    return parser


def _demand_clean(git: Git) -> None:
    if changed := git.changes():
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise HarnessError(
            f"--commit needs a clean tree, but there are changes: {', '.join(changed[:3])}{more}. "
            "Commit or remove them, or leave out --commit."
        )


def _obtain(source: Path | None, into: Path, night: NightlyRun) -> int:
    """Put the results in place. Returns the exit code of the matrix, if it had to run."""
    try:
        into.mkdir(parents=True, exist_ok=True)
        for stale in (TEXT, MARKDOWN):  # of an earlier night; if this one fails, they would look like its own
            (into / stale).unlink(missing_ok=True)
        if source is not None:
            _bring(source, into)
            return OK
    except OSError as error:
        raise HarnessError(
            f"The results cannot go to {into}: {error}. Choose another directory with --into."
        ) from error
    began = utc_now()
    code = _run_matrix(into)
    if code not in (OK, SURPRISES, INTERRUPTED):
        night.troubles.append("ci/matrix had an error of its own; its message is above.")
        if not _is_of_this_night(into / RESULTS, began):
            raise HarnessError(
                "ci/matrix left no results, so there is nothing to compare. See its message above."
            )
    return code


def _bring(source: Path, into: Path) -> None:
    if not (source / RESULTS).is_file():
        raise HarnessError(
            f"There is no {RESULTS} in {source}. Create it with ci/matrix --results or ci/harness merge --into."
        )
    if os.path.realpath(source) == os.path.realpath(into):
        return
    shutil.copyfile(source / RESULTS, into / RESULTS)
    shutil.rmtree(into / MACHINES, ignore_errors=True)
    if (source / MACHINES).exists():
        shutil.copytree(source / MACHINES, into / MACHINES)


def _run_matrix(into: Path) -> int:
    """Run the whole matrix in its own process group. A signal is passed on once, so that it shuts down cleanly."""
    asked: list[int] = []  # signals; a handler that raises could do so while the process is being started
    before = {
        number: signal.signal(number, lambda got, frame: asked.append(got))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN  # as nohup wants it
    }
    command = [str(ROOT / "ci" / "matrix"), "--refresh", "--fresh-boot", "--results", os.path.realpath(into)]
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
    """Whether a results file was begun since then, complete or not."""
    try:
        with path.open(encoding="utf-8") as file:
            return started(file.readline()) >= began
    except (OSError, UnicodeDecodeError, HarnessError):
        return False


def _told(found: Difference, into: Path, summary: Path | None) -> str:
    """Write the changes where people and CI look for them. Returns the text for the terminal."""
    try:
        (into / TEXT).write_text(changes.render(found), encoding="utf-8")
        (into / MARKDOWN).write_text(changes.markdown(found), encoding="utf-8")
        if summary is not None:
            with summary.open("a", encoding="utf-8") as file:
                file.write(changes.markdown(found))
    except OSError as error:
        raise HarnessError(
            f"The changes cannot be written: {error}. The results are in {into}: run ci/harness diff HEAD {into}."
        ) from error
    return changes.render(found)


def _findings(whole: Results, found: Difference) -> Iterator[str]:
    """What needs a look: every surprise, including old ones, and every cell that is gone."""
    for finding in text.findings(whole):
        tests = (
            ", ".join(finding.tests[:3]) if len(finding.tests) <= 3 else number(len(finding.tests), "test")
        )
        again = f"\n      {finding.rerun}" if finding.rerun else ""
        through = view.through(whole, finding.binding)
        yield f"{finding.sign} {tests} on {finding.series}{through}: {changes.foreign(finding.why)}{again}"
    gone = [change for change in found.changes if change.kind is Kind.GONE]
    for reason in dict.fromkeys(reason.says for change in gone for reason in change.reasons):
        yield f"{changes.foreign(reason)}."


def _conclude(
    night: NightlyRun, git: Git, whole: Results, found: Difference, options: argparse.Namespace
) -> None:
    """Publish and commit, if requested, possible and useful."""
    columns = plan.chosen(options.kernels, options.plan)
    if reason := publish.hindrance(whole, columns):
        raise HarnessError(f"These results cannot be published: {reason}")
    if found.nothing:
        night.outcome = "Nothing changed, so there is nothing to commit."
    elif not options.commit:
        night.outcome = "Nothing was committed, because --commit was not given."
    elif night.troubles:
        night.outcome = "Nothing was committed, because of the error."
    else:
        _demand_clean(git)  # still clean, after all this time
        _demand_this_suite(git, whole)
        publish.publish_results(options.into, columns)
        subject = f"reports: {changes.subject(found)}"
        git.commit(COMMITTED, f"{subject}\n\n{changes.markdown(found)}")
        night.outcome = f"Committed: {subject}"


def _demand_this_suite(git: Git, whole: Results) -> None:
    """Results may only be committed on top of the commit that they came from."""
    head, suite = git.commit_of("HEAD") or "", whole.header.suite
    if whole.header.dirty or not suite or not head.startswith(suite):
        changed = " with uncommitted changes" if whole.header.dirty else ""
        raise HarnessError(
            f"The results come from suite {suite}{changed}, but HEAD is {head[:12]}, so they were not committed. "
            "Run ci/nightly again."
        )


def _last_words(night: NightlyRun, into: Path) -> Iterator[str]:
    yield "=" * 100
    for title, lines in (("FINDINGS", night.findings), ("HARNESS ERRORS", night.troubles)):
        if lines:
            yield f"{title}:"
            yield from (f"  {line}" for line in lines)
    if not night.findings and not night.troubles:
        yield "Everything is as expected."
    yield f"{night.outcome} Everything is in {into}."
