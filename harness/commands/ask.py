# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness ask`: since when something of io_uring is there, where it was seen to work, and which bugs to know."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.base import command_line, outside
from harness.base.errors import HarnessError
from harness.base.output import emit
from harness.base.words import listed, number
from harness.commands import diff
from harness.report import support
from harness.report.support import Support
from harness.results.model import Results
from harness.suite import catalogue, spelling, surface
from harness.suite.since import KernelVersion
from harness.suite.surface import Item

_EPILOG = """\
Names may be spelled as you like: accept-multishot, IORING_ACCEPT_MULTISHOT, io_uring_prep_nop, opcode::Accept.

  ci/harness ask accept-multishot            since when, where it works, what to know, how to ask at run time
  ci/harness ask --kernel 5.15               everything that a program may rely on there
  ci/harness ask --kernel 5.15 recv-bundle   whether it is there
  ci/harness ask --uses server.c             the names of io_uring in a source in C, C++, Rust or Zig: the oldest kernel
                                             that has all of them, and the known deviations among them

"since" is the documented mainline release; "works on" and "absent on" are kernels of the published run (reports/). What a
macro, a library or a string hides is not seen by --uses.

Exit code: 0, 1 with --kernel if something that was asked for is not there, 2 a harness error, such as an unknown name."""

#: How a program asks for it at run time, by kind. There is one question for all that are not here: try it.
_PROBE = {
    "op": "io_uring_register(2) with IORING_REGISTER_PROBE (5.6): flags & IO_URING_OP_SUPPORTED",
    "feat": "io_uring_params.features, after io_uring_setup(2)",
    "setup_flag": "io_uring_setup(2): EINVAL without it; in 6.18 and later IORING_REGISTER_QUERY names all flags",
    "enter_flag": "io_uring_enter(2): EINVAL without it; in 6.18 and later IORING_REGISTER_QUERY names all flags",
    "register_op": "io_uring_register(2): EINVAL without it; in 6.18 and later IORING_REGISTER_QUERY says how many there are",
    "sqe_flag": "the CQE: -EINVAL without it; in 6.18 and later IORING_REGISTER_QUERY names all flags",
    "sysctl": "whether the file below /proc/sys is there",
}


def main(arguments: Sequence[str]) -> int:
    """Answer."""
    parser = command_line.parser("ask", "Says what of io_uring a program may rely on.", _EPILOG)
    parser.add_argument(
        "name", nargs="*", metavar="NAME", help="an opcode, a flag, a number; in any spelling"
    )
    parser.add_argument(
        "--kernel", metavar="RELEASE", help="what is there on this release, such as 5.15 or 6.1.150"
    )
    parser.add_argument("--uses", action="append", default=[], type=Path, metavar="FILE",
                        help="what this source uses; repeatable")  # fmt: skip
    parser.add_argument("--results", default=diff.PUBLISHED, metavar="RESULTS",
                        help="the run that is asked (default: reports/, the published one)")  # fmt: skip
    options = parser.parse_args(arguments)
    answers = known_of(diff.load(options.results))
    chosen = [found for name in options.name for found in _meant(name, answers)]
    version = _version(options.kernel)
    if options.uses:
        emit("\n".join(_of_sources(options.uses, answers)))
    if version is not None:
        return _on(version, chosen, answers)
    if chosen:
        emit("\n\n".join("\n".join(_paragraph(answers[name])) for name in dict.fromkeys(chosen)))
    if not chosen and not options.uses:
        parser.error("What is asked? Give a name, --kernel or --uses.")
    return 0


def known_of(results: Results) -> Mapping[str, Support]:
    """What is known of each name."""
    return support.of(results, catalogue.load(), surface.uncovered())


def _meant(name: str, answers: Mapping[str, Support]) -> list[str]:
    found = spelling.meant(name, answers)
    if not found:
        raise HarnessError(f"Nothing of io_uring is called {name!r}. {_hint(name, list(answers))}")
    if len(found) > 8:
        raise HarnessError(
            f"{name!r} may mean {number(len(found), 'name')}, such as {listed(found[:4])}. Say more."
        )
    return found


def _hint(name: str, names: Sequence[str]) -> str:
    """A sentence about the name that is most like this one, whatever it begins with."""
    short = {"_".join(known.split("_")[-count:]): known for known in names for count in (3, 2, 1)}
    near = difflib.get_close_matches(name.upper().replace("-", "_"), short, n=1)
    return f"Did you mean {short[near[0]]!r}?" if near else "ci/harness ask --kernel 99 lists every name."


def _version(release: str | None) -> KernelVersion | None:
    if release is None:
        return None
    if (version := KernelVersion.parse(release)) is None:
        raise HarnessError(f"{release!r} is no release of Linux, such as 5.15 or 6.1.150.")
    return version


def _paragraph(answer: Support) -> Iterator[str]:
    item = answer.item
    yield f"{item.name}  ({item.kind.replace('_', ' ')})"
    since = f"Linux {item.since}" if item.since else "every release"
    yield f"  since      {since}" + (f"; also in {listed(answer.backports)}" if answer.backports else "")
    if answer.works:
        yield f"  works on   {', '.join(answer.works)}"
    if answer.absent:
        yield f"  absent on  {', '.join(answer.absent)}: refused there, with a witness"
    if not answer.rows:
        yield "  not run    no row asserts it; reports/coverage.md says why"
    for one in answer.deviations:
        fixed = f"; fixed in {one.facts['fixed']}" if one.facts["fixed"] else ""
        yield f"  know       {listed(one.kernels)}: {one.facts['what']} ({one.row}{fixed})"
    yield f"  ask for it {_PROBE.get(item.kind, 'try it once: without it the request, or the call, is refused')}"
    if answer.rows:
        yield f"  shown by   {', '.join(answer.rows)}"


def _on(version: KernelVersion, chosen: Sequence[str], answers: Mapping[str, Support]) -> int:
    """What is there on this kernel: of these names, or of all."""
    if chosen:
        missing = 0
        for name in dict.fromkeys(chosen):
            there = answers[name].is_on(version)
            missing += not there
            since = answers[name].item.since
            emit(
                f"{name}: {'yes' if there else 'no'}, {f'since Linux {since}' if since else 'in every release'}"
            )
            for line in _deviations_on(version, [answers[name]]):
                emit(line)
        return 1 if missing else 0
    present = [answer for answer in answers.values() if answer.is_on(version)]
    for kind in dict.fromkeys(answer.item.kind for answer in present):
        names = [answer.item.name for answer in present if answer.item.kind == kind]
        emit(f"{kind.replace('_', ' ')}: {', '.join(names)}")
    for line in _deviations_on(version, present):
        emit(line)
    return 0


def _deviations_on(version: KernelVersion, answers: Sequence[Support]) -> Iterator[str]:
    """The bugs to know there, each once."""
    told = dict.fromkeys(
        f"  know: {one.facts['what']} ({one.row})"
        for answer in answers
        for one in answer.deviations
        if version.series in one.kernels
    )
    yield from told


def _of_sources(paths: Sequence[Path], answers: Mapping[str, Support]) -> Iterator[str]:
    oldest: Item | None = None
    used: dict[str, str] = {}
    for path in paths:
        for line, name in spelling.uses(_source(path), answers):
            used.setdefault(name, f"{path}:{line}")
    for name, where in used.items():
        item = answers[name].item
        if item.since and (oldest is None or _age(item) > _age(oldest)):
            oldest = item
        yield f"{item.since or 'any':>5}  {name}  ({where})"
    if not used:
        yield "No name of io_uring is used there, as far as this can see."
    elif oldest is not None:
        yield f"All of them: Linux {oldest.since} or newer, for {oldest.name}."
    told = {(one.row, one.facts["what"]): one for name in used for one in answers[name].deviations}
    for (row, what), one in told.items():
        yield f"  know       {listed(one.kernels)}: {what} ({row})"


def _age(item: Item) -> tuple[int, ...]:
    return tuple(int(part) for part in item.since.split("."))


def _source(path: Path) -> str:
    return outside.read(path, outside.TEXT, f"The source {path}").decode(errors="replace")
