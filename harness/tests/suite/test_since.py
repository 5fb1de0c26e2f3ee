"""Versions as kernels really spell them, and what the since data says about them."""

from __future__ import annotations

import pytest

from harness.suite.catalogue import Evidence, Row
from harness.suite.since import Expected, KernelVersion, expected


@pytest.mark.parametrize(
    ("release", "version", "parsed"),
    [
        ("6.1.0-56-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1 (2026-11-01)", (6, 1, 192)),
        ("5.10.0-44-cloud-amd64", "#1 SMP Debian 5.10.262-1 (2026-10-30)", (5, 10, 262)),
        ("6.12.117+bpo-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1~bpo12+1 (2026", (6, 12, 117)),
        ("7.3.4+deb14-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1~exp1 (2026-11-19)", (7, 3, 4)),
        ("7.4-rc1-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 7.4~rc1-1~exp1 (2026-11-19)", (7, 4, 0)),
        ("6.18.44-fc-v669", "#1 SMP PREEMPT_DYNAMIC @0", (6, 18, 44)),
        ("6.8.0-45-generic", "#45-Ubuntu SMP PREEMPT_DYNAMIC Fri Aug 30 12:02:04 UTC 2024", (6, 8, 0)),
        ("6.19", "", (6, 19, 0)),
        ("7.4.0-rc2+", "#7 SMP", (7, 4, 0)),
    ],
)
def test_a_version_is_found_where_it_stands(release, version, parsed):
    assert KernelVersion.parse(release, version) == KernelVersion(*parsed)


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("", "#1 SMP Debian 6.1.192-1 (2026-11-01)"),
        ("linux", ""),
        ("6", ""),
        ("6.1.0-56-cloud-amd64", "#1 SMP Debian 6.12.117-1 (2026-11-01)"),  # they contradict each other
    ],
)
def test_a_version_that_is_not_told_is_not_guessed(release, version):
    assert KernelVersion.parse(release, version) is None


def test_versions_order_as_numbers_and_print_whole():
    assert KernelVersion(5, 4, 300) < KernelVersion(5, 10) < KernelVersion(5, 10, 2) < KernelVersion(6, 0)
    assert str(KernelVersion(6, 1)) == "6.1.0"
    assert KernelVersion(6, 1, 192).series == "6.1"


def row(since: str, *also: str) -> Row:
    return Row(
        name="x", stem="x", group="Files", since=since, also=also,
        evidence=Evidence.DOCUMENTED, source="x", timeout_s=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("since", "also", "version", "due"),
    [
        ("5.15", (), (5, 14, 99), Expected.ABSENT),
        ("5.15", (), (5, 15, 0), Expected.PRESENT),
        ("5.15", (), (6, 1, 0), Expected.PRESENT),
        ("5.6", (), (5, 10, 0), Expected.PRESENT),  # 10 is more than 6, although not as text
        ("5.11", ("5.10.162",), (5, 10, 161), Expected.ABSENT),
        ("5.11", ("5.10.162",), (5, 10, 162), Expected.PRESENT),
        ("5.11", ("5.10.162",), (5, 10, 262), Expected.PRESENT),
        ("5.11", ("5.4.300", "5.10.162"), (5, 10, 100), Expected.ABSENT),
        ("5.11", ("5.4.300", "5.10.162"), (5, 4, 300), Expected.PRESENT),
        ("5.15", ("5.4.300",), (5, 10, 262), Expected.ABSENT),  # a backport counts in its own series only
        ("any", (), (2, 6, 32), Expected.PRESENT),
    ],
)
def test_what_is_due_on_a_known_version(since, also, version, due):
    assert expected(row(since, *also), KernelVersion(*version)) is due


def test_what_is_due_on_an_unknown_version():
    assert expected(row("5.15", "5.10.162"), None) is Expected.UNKNOWN
    assert expected(row("any"), None) is Expected.PRESENT  # it needs nothing from the kernel
