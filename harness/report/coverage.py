# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""reports/coverage.md: for each item of the interface, which rows assert it, or why none does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.report.markdown import code, line, plain
from harness.suite.surface import Account

FILE = "coverage.md"

#: What the kinds are called here, where the kind's own name would puzzle a reader.
_TITLES = {
    "op": "Opcodes",
    "setup_flag": "Flags of io_uring_setup(2)",
    "feat": "Features",
    "sqe_flag": "Flags of an SQE",
    "enter_flag": "Flags of io_uring_enter(2)",
    "register_op": "Operations of io_uring_register(2)",
    "cqe_flag": "Flags of a CQE",
    "errno": "Refusals",
    "fact": "Answers",
    "sqe_flag_bit": "Numbers of the SQE flags",
    "man_erratum": "Mistakes of manual pages",
}


def render(accounts: tuple[Account, ...], home: str) -> str:
    """The page; `home` is the way to the top of the repository."""
    return "\n\n".join(_parts(accounts, home)) + "\n"


def _parts(accounts: tuple[Account, ...], home: str) -> Iterator[str]:
    kinds = tuple(dict.fromkeys(account.item.kind for account in accounts))
    asserted = sum(bool(account.rows) for account in accounts)
    yield "# What of the interface is asserted"
    yield (
        f"Rows assert {asserted} of the {len(accounts)} items of io_uring's interface, Linux 5.1 to 7.3. For each of the others "
        "this page has the reason why no row can show it. It is generated from "
        f"[the catalogue]({home}/conformance/catalogue); that nothing is missing is checked by `ci/test`."
    )
    yield "\n".join(_summary(accounts, kinds))
    for kind in kinds:
        yield f"## {_title(kind)}"
        yield "\n".join(_table((account for account in accounts if account.item.kind == kind), home))


def _title(kind: str) -> str:
    words = kind.replace("_flag", " flags").replace("_op", " operations").replace("_", " ")
    return _TITLES.get(kind, words[0].upper() + words[1:])


def _summary(accounts: tuple[Account, ...], kinds: tuple[str, ...]) -> Iterator[str]:
    yield line("Kind", "items", "asserted", "cannot be shown")
    yield line(":---", *3 * ["---:"])
    for kind in kinds:
        yield line(
            f"[{_title(kind)}](#{_anchor(kind)})",
            *_counts([one for one in accounts if one.item.kind == kind]),
        )
    yield line("**together**", *_counts(accounts))


def _counts(accounts: Iterable[Account]) -> tuple[str, ...]:
    found = list(accounts)
    asserted = sum(bool(one.rows) for one in found)
    return tuple(str(number) for number in (len(found), asserted, len(found) - asserted))


def _anchor(kind: str) -> str:
    """The anchor that a code-hosting site gives the heading."""
    return "".join(
        letter for letter in _title(kind).lower().replace(" ", "-") if letter.isalnum() or letter in "-_"
    )


def _table(accounts: Iterable[Account], home: str) -> Iterator[str]:
    yield line("Item", "since", "asserted by, or why not")
    yield line(":---", "---:", ":---")
    for account in accounts:
        yield line(code(account.item.name), account.item.since, "; ".join(_answers(account, home)))


def _answers(account: Account, home: str) -> Iterator[str]:
    yield from (f"[{row.stem}]({home}/{row.file})" for row in account.rows)
    yield from (plain(reason) for reason in account.excuses)
