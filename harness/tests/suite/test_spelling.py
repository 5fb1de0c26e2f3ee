# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Names of the interface in the spellings of people and languages."""

from __future__ import annotations

import pytest

from harness.suite import surface
from harness.suite.spelling import meant, uses

NAMES = [
    item.name for item in surface.items() if item.kind not in ("errno", "fact", "behaviour", "man_erratum")
]


@pytest.mark.parametrize(
    ("spelled", "first"),
    [
        ("IORING_OP_ACCEPT", "IORING_OP_ACCEPT"),
        ("ioring_op_accept", "IORING_OP_ACCEPT"),
        ("accept", "IORING_OP_ACCEPT"),
        ("io_uring_prep_accept", "IORING_OP_ACCEPT"),
        ("opcode::Accept", "IORING_OP_ACCEPT"),
        ("accept-multishot", "IORING_ACCEPT_MULTISHOT"),
        ("Accept multishot", "IORING_ACCEPT_MULTISHOT"),
        ("multishot accept", "IORING_ACCEPT_MULTISHOT"),
        ("opcode::AcceptMulti", "IORING_ACCEPT_MULTISHOT"),
        ("recv-bundle", "IORING_RECVSEND_BUNDLE"),
        ("defer_taskrun", "IORING_SETUP_DEFER_TASKRUN"),
        ("IOSQE_ASYNC", "IOSQE_ASYNC"),
        ("nop128", "IORING_OP_NOP128"),
        ("kernel.io_uring_disabled", "kernel.io_uring_disabled"),
    ],
)
def test_the_first_name_that_is_meant(spelled: str, first: str) -> None:
    assert meant(spelled, NAMES)[:1] == [first]


@pytest.mark.parametrize("spelled", ["xyz", "", "io_uring", "accept-never"])
def test_what_is_no_name(spelled: str) -> None:
    assert meant(spelled, NAMES) == []


SOURCES = {
    "C": ("io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, 0);", "IORING_ACCEPT_MULTISHOT"),
    "a flag in C": ("p.flags |= IORING_SETUP_SQPOLL | IORING_SETUP_SQPOLL;", "IORING_SETUP_SQPOLL"),
    "C, a registration": ("io_uring_register_buffers(&ring, v, 1);", "IORING_REGISTER_BUFFERS"),
    "Rust": ("let e = opcode::SendZc::new(fd, p, n).build();", "IORING_OP_SEND_ZC"),
    "Rust, a ring": ("IoUring::builder().setup_single_issuer().build(8)", "IORING_SETUP_SINGLE_ISSUER"),
    "Zig": ("_ = try ring.fallocate(1, fd, 0, 0, 9);", "IORING_OP_FALLOCATE"),
    "C++": ("ring_->recv(1, fd, buffer, 0).value();", "IORING_OP_RECV"),
}


@pytest.mark.parametrize("language", SOURCES)
def test_what_a_source_uses(language: str) -> None:
    source, name = SOURCES[language]
    assert list(uses(f"// one line\n{source}\n{source}\n", NAMES)) == [(2, name)]


def test_what_a_source_does_not_use() -> None:
    assert not list(uses("ring.submit(); xIORING_OP_NOP; IORING_OP_NO_SUCH; barring.nop(1)", NAMES))
