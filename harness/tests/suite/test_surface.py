# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The accounting of the interface: complete today, and each way in which it can be incomplete is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.suite import catalogue, surface
from harness.suite.surface import Excuses, Item

NOP = Item(kind="op", name="IORING_OP_NOP", since="5.1")
CQE32 = Item(kind="struct", name="io_uring_cqe", since="5.1")
REFUSED = Item(kind="errno", name="cqe.bad-fd", since="5.1")
ROW = replace(catalogue.load()[0], stem="nop", covers=("IORING_OP_NOP",))


def test_the_whole_interface_is_accounted_for() -> None:
    found = list(surface.objections(surface.items(), catalogue.load(), surface.uncovered()))
    assert not found, "\n".join(found)


def test_what_nobody_answers_for_is_told() -> None:
    (told,) = surface.objections((NOP, REFUSED), (ROW,), ())
    assert told.startswith(
        "No row asserts errno:cqe.bad-fd. Claim it in the `covers` of the row that does, or excuse it"
    )
    assert not list(surface.objections((NOP, REFUSED), (ROW,), (("errno:cqe.*", "why"),)))


@pytest.mark.parametrize(
    ("row", "excuses", "says"),
    [
        (
            replace(ROW, covers=("IORING_OP_NOP", "IORING_OP_NOPE")),
            (),
            "The row nop: nothing in surface.toml is called",
        ),
        (
            ROW,
            (("IORING_OP_Y", "why"),),
            "An excuse: nothing in surface.toml is called",
        ),
    ],
)
def test_a_claim_of_what_there_is_not_is_told(row: catalogue.Row, excuses: Excuses, says: str) -> None:
    (told,) = surface.objections((NOP,), (row,), excuses)
    assert told.startswith(says)


def test_an_answer_of_the_kernel_is_named_with_its_kind() -> None:
    assert NOP.matches("IORING_OP_*") and NOP.matches("op:IORING_OP_NOP")
    assert CQE32.matches("struct io_uring_cqe")
    assert REFUSED.matches("errno:cqe.bad-*") and not REFUSED.matches("cqe.bad-fd")
