"""Who is to blame for an odd cell: a pure, total function of what the same test did elsewhere.

One test was run through several bindings on several kernels. A kernel is accused by all bindings at once, a binding
by the others, what bindings share by bare system calls, and a test by everybody. The sentence always has the evidence,
so that a person can disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.binding import OURS, RAW
from harness.judge import Verdict

_RED = (Verdict.WRONG, Verdict.MISSING, Verdict.COMPLAINED)
_ODD = (*_RED, Verdict.EARLY)
_FEW = 4  # kernels that are still named one by one
LIBURING = "liburing"  # what its versions are called, with theirs behind it


class Culprit(StrEnum):
    """Who is to blame."""

    KERNEL = "the kernel"
    BINDING = "the binding"
    ASSUMPTION = "an assumption that bindings share"
    TEST = "the test"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Who, and the sentence that says why, without its full stop."""

    culprit: Culprit
    says: str


def blame(binding: str, series: str, row: Mapping[str, Mapping[str, Verdict]]) -> Blame | None:
    """Who is to blame for the cell of one test on the kernel `series` through `binding`; None if it is not odd.

    `row` has the test's verdicts by binding and kernel, without what the run did not reach. No verdict and what a
    binding cannot say tell nothing.
    """
    verdict = row[binding][series]
    if verdict not in _ODD:
        return None
    if verdict is Verdict.COMPLAINED:
        return Blame(culprit=Culprit.KERNEL, says="Whatever a binding asks, a kernel must not complain")
    # What works early works: it is odd beside others of its kind, and speaks for the kernel where another is red.
    early = verdict is Verdict.EARLY
    alike = (Verdict.EARLY,) if early else _RED
    good = (Verdict.WORKS,) if early else (Verdict.WORKS, Verdict.EARLY)
    here = {name: seen[series] for name, seen in row.items() if series in seen}
    odd = [name for name, seen in here.items() if seen in alike]
    fine = [name for name, seen in here.items() if seen in (*good, Verdict.ABSENT)]
    # A kernel that is too old for it says nothing about one that is not.
    odd_on = [name for name, seen in row[binding].items() if seen in alike]
    works_on = [name for name, seen in row[binding].items() if seen in good]
    if not fine and len(odd) > 1:
        through = [name for name, seen in row.items() if any(one in good for one in seen.values())]
        return _among_kernels(binding, series, odd, odd_on, works_on, through)
    if not fine:
        return _alone(binding, series, odd_on, works_on)
    if len(odd) == 1:
        return _one_binding(binding, series, fine, odd_on, works_on)
    return _some_bindings(series, odd, fine)


def _one_binding(binding: str, series: str, fine: list[str], odd_on: list[str], works_on: list[str]) -> Blame:
    """Every other binding that says something is fine with the same test on the same kernel."""
    says = f"On {series} the same test is fine through {_listed(fine)}, and odd through {binding} alone"
    if others := [name for name in odd_on if name != series]:
        says += f", which is odd on {_kernels(others)}, too"
    elif works_on:
        says += f", through which it works on {_kernels(works_on)}"
    return Blame(culprit=Culprit.BINDING, says=f"{says}{_or_adapter([binding])}")


def _some_bindings(series: str, odd: list[str], fine: list[str]) -> Blame:
    """Several are fine or odd with the same test on the same kernel."""
    evidence = f"On {series} the same test is fine through {_listed(fine)}"
    evidence += f", and odd through {_listed(odd)}"
    if all(map(_is_liburing, odd)):
        if any(map(_is_liburing, fine)):  # a mistake that came, or was mended, between two versions
            return Blame(culprit=Culprit.BINDING, says=f"{evidence}: only these versions of liburing{_or_adapter(odd)}")
        return Blame(culprit=Culprit.ASSUMPTION, says=f"{evidence}: what these versions of liburing have in common")
    if all(map(_is_ours, odd)):
        return Blame(culprit=Culprit.BINDING, says=f"{evidence}: ours, directly and through the table of adapters")
    if fine == [OURS]:
        says = f"{evidence}: only what goes through adapters, so it may be their table"
        return Blame(culprit=Culprit.ASSUMPTION, says=says)
    if fine == [RAW]:
        says = f"{evidence}: with bare system calls it works, so it is what all real bindings have in common"
        return Blame(culprit=Culprit.ASSUMPTION, says=says)
    return Blame(culprit=Culprit.UNKNOWN, says=f"{evidence}: the bindings disagree, and no pattern tells why")


def _among_kernels(
    binding: str, series: str, odd: list[str], odd_on: list[str], works_on: list[str], through: list[str]
) -> Blame:
    """Every binding that said something is odd on this kernel."""
    evidence = f"On {series} the test is odd through every binding that can say it ({_listed(odd)})"
    if works_on:
        says = f"{evidence}, while through {binding} it works on {_kernels(works_on)}"
        return Blame(culprit=Culprit.KERNEL, says=says)
    if through:  # so it is not the test
        says = f"{evidence}, and works on other kernels through {_listed(through)}, but not through {binding}"
        return Blame(culprit=Culprit.UNKNOWN, says=f"{says}: the kernel, and {binding} as well")
    if len(odd_on) > 1:
        says = f"{evidence}, and through {binding} it is odd on {_kernels(odd_on)} and works nowhere"
        return Blame(culprit=Culprit.TEST, says=says)
    return Blame(culprit=Culprit.UNKNOWN, says=f"{evidence}, and no other kernel was seen with it: the kernel or the test")


def _alone(binding: str, series: str, odd_on: list[str], works_on: list[str]) -> Blame:
    """No other binding says anything on this kernel."""
    evidence = f"On {series} only {binding} was asked"
    if works_on:
        says = f"{evidence}, through which it works on {_kernels(works_on)}: the kernel, or what the binding assumes of it"
    elif len(odd_on) > 1:
        says = f"{evidence}, through which it is odd on {_kernels(odd_on)}: the binding or the test"
    else:
        says = f"{evidence}, and nothing else was seen of it: the kernel, the binding or the test"
    return Blame(culprit=Culprit.UNKNOWN, says=f"{says}. To know more, run it through another binding, too")


def _is_ours(name: str) -> bool:
    return name == OURS or name.startswith(f"{OURS}-")


def _or_adapter(names: list[str]) -> str:
    """Bindings of others are asked through an adapter, which may be wrong where they are right."""
    return "" if all(name in (OURS, RAW) for name in names) else "; or the adapter that it is asked through"


def _is_liburing(name: str) -> bool:
    return name == LIBURING or name.startswith(f"{LIBURING}-")


def _kernels(names: list[str]) -> str:
    return _listed(names) if len(names) <= _FEW else f"{len(names)} kernels"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
