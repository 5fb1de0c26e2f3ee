# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Who is to blame for an odd cell: a pure, total function of the test's other verdicts.

One test was run through several bindings on several kernels. If all bindings fail on one kernel, blame the kernel; if
one binding fails, blame the binding; if only bare system calls work, blame what the real bindings share; if everything
fails everywhere, blame the test. The sentence always has the evidence, so that a person can disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.suite.binding import OURS, RAW, is_ours
from harness.suite.configuration import PLAIN
from harness.verdicts.judge import Verdict

_RED = (Verdict.WRONG, Verdict.MISSING)
_WORKS = (Verdict.WORKS, Verdict.EARLY)  # early works, too
_FINE = (*_WORKS, Verdict.ABSENT)
_FEW = 4  # more kernels than this are counted, not named
LIBURING = "liburing"  # prefix of the names of its versions: liburing-2.3
AS_ADAPTER = f"{OURS}-adapter"  # our binding, as an adapter

Row = Mapping[str, Mapping[str, Verdict]]


class Culprit(StrEnum):
    """Who is to blame."""

    KERNEL = "the kernel"
    BINDING = "the binding"
    ASSUMPTION = "an assumption that bindings share"
    TEST = "the test"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """The culprit, and a sentence that says why, without its full stop."""

    culprit: Culprit
    says: str


def blame(
    binding: str,
    series: str,
    row: Row,
    configuration: str = PLAIN,
    kinds: Mapping[str, Verdict] | None = None,
) -> Blame | None:
    """Who is to blame for the cell of one test on the kernel `series` through `binding`; None if it is not odd.

    `row` has the test's verdicts in this configuration by binding and kernel, without cells that the run did not reach;
    `kinds` those of this cell by configuration. "No verdict", "not expressible" and "complained" say nothing about
    other cells.
    """
    accused = _by_bindings_and_kernels(binding, series, row)
    if accused is None or configuration == PLAIN or row[binding][series] not in _RED:
        return accused
    return _with_kinds(accused, configuration, kinds or {})


def _with_kinds(accused: Blame, configuration: str, kinds: Mapping[str, Verdict]) -> Blame:
    """Whether it has to do with the kind of ring."""
    odd, plain = _kernels_with(_RED, kinds), kinds.get(PLAIN)
    if plain in _RED:
        kind = "on a plain ring it is odd, too"
    elif plain not in _WORKS:
        return accused
    elif odd == [configuration]:
        kind = f"odd only under {configuration}: on a plain ring the same test works"
    else:
        kind = f"odd under {_listed(odd)}, while on a plain ring the same test works"
    return Blame(culprit=accused.culprit, says=f"{accused.says}; {kind}")


def _by_bindings_and_kernels(binding: str, series: str, row: Row) -> Blame | None:
    verdict = row[binding][series]
    here = {name: seen[series] for name, seen in row.items() if series in seen}
    if verdict is Verdict.COMPLAINED:
        return Blame(culprit=Culprit.KERNEL, says="Whatever a binding asks for, a kernel must not complain")
    if verdict is Verdict.EARLY:
        return _early(series, here)
    if verdict not in _RED:
        return None
    red = [name for name, seen in here.items() if seen in _RED]
    fine = [name for name, seen in here.items() if seen in _FINE]
    one_family = len({_family(name) for name in red}) == 1
    if not fine:
        return _alone(binding, series, red, row) if one_family else _among_kernels(binding, series, red, row)
    if len(red) == 1:
        return _one_binding(binding, series, fine, row)
    return _one_family(series, red, fine) if one_family else _several(series, red, fine)


def _early(series: str, here: Mapping[str, Verdict]) -> Blame:
    """Works on a kernel that should be too old for it, at least through one binding."""
    early, red, absent = (
        [name for name, seen in here.items() if seen in kind]
        for kind in ((Verdict.EARLY,), _RED, (Verdict.ABSENT,))
    )
    says = f"On {series}, which should be too old, the test works through {_listed(early)}"
    if red:
        says += f", and is odd through {_listed(red)}"
    if absent:
        says += f", while it is absent through {_listed(absent)}"
    if absent and not red and len({_family(name) for name in early}) == 1:
        return Blame(culprit=Culprit.BINDING, says=f"{says}{_or_adapter(early)}")
    if not absent:
        says += ": a backport, or the suite has the wrong first release"
    return Blame(culprit=Culprit.UNKNOWN, says=says)


def _one_binding(binding: str, series: str, fine: list[str], row: Row) -> Blame:
    """Every other binding with a verdict passes the same test on the same kernel."""
    says = f"On {series} the same test is fine through {_listed(fine)}, and odd through {binding} alone"
    if others := [name for name in _kernels_with(_RED, row[binding]) if name != series]:
        says += f", which is odd on {_kernels(others)}, too"
    elif works_on := _kernels_with(_WORKS, row[binding]):
        says += f", through which it works on {_kernels(works_on)}"
    return Blame(culprit=Culprit.BINDING, says=f"{says}{_or_adapter([binding])}")


def _one_family(series: str, red: list[str], fine: list[str]) -> Blame:
    """Several versions of one binding are odd, and other bindings are fine."""
    evidence = f"On {series} the same test is fine through {_listed(fine)}, and odd through {_listed(red)}"
    family = _family(red[0])
    if family == OURS:
        return Blame(culprit=Culprit.BINDING, says=f"{evidence}: our own, both directly and as an adapter")
    if any(_family(name) == family for name in fine):  # a bug that was added or fixed between two versions
        return Blame(
            culprit=Culprit.BINDING, says=f"{evidence}: only these versions of {family}{_or_adapter(red)}"
        )
    return Blame(culprit=Culprit.ASSUMPTION, says=f"{evidence}: something these versions of {family} share")


def _several(series: str, red: list[str], fine: list[str]) -> Blame:
    """Different bindings are odd, and others are fine."""
    evidence = f"On {series} the same test is fine through {_listed(fine)}, and odd through {_listed(red)}"
    if fine == [OURS]:
        says = f"{evidence}: everything odd goes through an adapter, so it may be the adapter ABI"
        return Blame(culprit=Culprit.ASSUMPTION, says=says)
    if fine == [RAW]:
        says = f"{evidence}: only bare system calls are fine, so it is something that all real bindings share"
        return Blame(culprit=Culprit.ASSUMPTION, says=says)
    return Blame(culprit=Culprit.UNKNOWN, says=f"{evidence}: the bindings disagree, without a pattern")


def _among_kernels(binding: str, series: str, red: list[str], row: Row) -> Blame:
    """Different bindings are odd on this kernel, and none is fine."""
    evidence = f"On {series} the test is odd through every binding with a verdict ({_listed(red)})"
    if works_on := _kernels_with(_WORKS, row[binding]):
        says = f"{evidence}, while through {binding} it works on {_kernels(works_on)}"
        return Blame(culprit=Culprit.KERNEL, says=says)
    if through := [
        name for name, seen in row.items() if _kernels_with(_WORKS, seen)
    ]:  # so it is not the test
        says = f"{evidence}, and works on other kernels through {_listed(through)}, but not through {binding}"
        return Blame(culprit=Culprit.UNKNOWN, says=f"{says}: the kernel and {binding} may both be wrong")
    odd_on = _kernels_with(_RED, row[binding])
    if len(odd_on) == 1:
        says = f"{evidence}, and no other kernel has a verdict: the kernel or the test"
        return Blame(culprit=Culprit.UNKNOWN, says=says)
    evidence += f", and through {binding} it is odd on {_kernels(odd_on)} and works nowhere"
    noisy = dict.fromkeys(on for seen in row.values() for on in _kernels_with((Verdict.COMPLAINED,), seen))
    if noisy:  # the complaint is all that was wrong there
        says = (
            f"{evidence}, but on {_kernels(list(noisy))} nothing was wrong except that the kernel complained"
        )
        return Blame(culprit=Culprit.UNKNOWN, says=says)
    return Blame(culprit=Culprit.TEST, says=evidence)


def _alone(binding: str, series: str, red: list[str], row: Row) -> Blame:
    """No other binding has a verdict on this kernel."""
    evidence = f"On {series} only {_listed(red)} {'has' if len(red) == 1 else 'have'} a verdict"
    works_on, odd_on = _kernels_with(_WORKS, row[binding]), _kernels_with(_RED, row[binding])
    if works_on:
        says = f"{evidence}, and through {binding} it works on {_kernels(works_on)}: the kernel, or an assumption of the binding"
    elif len(odd_on) > 1:
        says = f"{evidence}, and through {binding} it is odd on {_kernels(odd_on)}: the binding or the test"
    else:
        says = f"{evidence}, and there is no other verdict: the kernel, the binding or the test"
    return Blame(
        culprit=Culprit.UNKNOWN,
        says=f"{says}. To know more, run it through another binding that can express it",
    )


def _family(name: str) -> str:
    """Bindings that share their logic count as one."""
    if is_ours(name) or name == AS_ADAPTER:
        return OURS
    return LIBURING if re.fullmatch(rf"{LIBURING}(-[0-9].*)?", name) else name


def _or_adapter(names: list[str]) -> str:
    """Other bindings are driven through an adapter, which may itself be wrong."""
    return "" if all(name in (OURS, RAW) for name in names) else "; or its adapter"


def _kernels_with(kinds: Iterable[Verdict], seen: Mapping[str, Verdict]) -> list[str]:
    return [on for on, verdict in seen.items() if verdict in kinds]


def _kernels(names: list[str]) -> str:
    return _listed(names) if len(names) <= _FEW else f"{len(names)} kernels"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
