"""Which kernels a run covers, and what is known to prevent its publication."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.kernels.archive import Index, Package, Pin
from harness.kernels.selection import PART, Selection, select
from harness.kernels.settings import Settings

SETTINGS = Settings(kernels=("archive", "host"), suites=("sid",))


class FakeArchive:
    """An archive with these series, some of them cached; "away" is the reason why it could not be asked."""

    def __init__(self, *series: str, cached: tuple[str, ...] = (), away: str | None = None) -> None:
        packages = {
            name: Package(series=name, name=f"linux-image-{name}", version=f"{name}.1-1", release=name, suite="sid")
            for name in series
        }
        when = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self._index = Index(when=when, suites=("sid",), left_out={}, packages=packages, trouble=away)
        self._cached = cached
        self.asked = 0

    def index(self) -> Index:
        self.asked += 1
        return self._index

    def lookup(self, spec: str) -> tuple[Package | None, str | None]:
        return self._index.packages.get(spec), "digest" if spec in self._cached else None


@pytest.fixture
def notices():
    """The notices for the person, one sentence each."""
    return []


@pytest.fixture
def chosen(notices):
    """The selection from an archive."""

    def chosen(archive: FakeArchive, *asked: str, settings: Settings = SETTINGS) -> Selection:
        return select(asked, settings, archive, notice=notices.append)

    return chosen


def test_the_default_is_every_series_of_the_archive_and_the_host(chosen, notices):
    selection = chosen(FakeArchive("5.10", "6.1", "7.4"))
    assert selection.specs == ("5.10", "6.1", "7.4", "host")
    assert selection.hindrance is None
    assert notices == []


def test_only_what_stands_for_the_archive_asks_it(chosen):
    archive = FakeArchive("6.1")
    assert chosen(archive, "host", "6.1", "some/bzImage").specs == ("host", "6.1", "some/bzImage")
    assert archive.asked == 0
    assert chosen(archive, "6.1", "archive").specs == ("6.1",)
    assert archive.asked == 1


def test_what_need_not_be_fetched_comes_first(chosen, tmp_path):
    (tmp_path / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 18\n")
    archive = FakeArchive("6.1", "6.12", "7.3", cached=("6.12",))
    selection = chosen(archive, str(tmp_path), "archive", "host")
    assert selection.order == ("6.12", "host", str(tmp_path), "6.1", "7.3")
    assert selection.missing == (str(tmp_path), "6.1", "7.3")


def test_it_arrives_in_another_process_as_it_left(chosen):
    selection = chosen(FakeArchive("6.1", cached=("6.1",)), "6.1", "host")
    assert Selection.from_plain(json.loads(json.dumps(selection.plain()))) == selection


def test_an_excluded_series_is_left_out_with_its_reason_but_can_be_asked_for(chosen, notices):
    settings = Settings(kernels=("archive", "host"), exclude={"6.16": "it does not boot.", "9.9": "never was"})
    archive = FakeArchive("6.1", "6.16")
    assert chosen(archive, settings=settings).specs == ("6.1", "host")
    assert notices == ["kernels.toml excludes 6.16: it does not boot."]
    assert chosen(archive, "6.16", settings=settings).specs == ("6.16",)


def test_a_pinned_series_stays_when_the_archive_has_lost_it(chosen):
    settings = Settings(kernels=("archive",), pin={"6.9": Pin(version="6.9.7-1", reason="x")})
    assert chosen(FakeArchive("6.1", "6.12"), settings=settings).specs == ("6.1", "6.9", "6.12")


def test_nothing_to_run_on_is_trouble(chosen):
    settings = Settings(kernels=("archive",), exclude={"6.1": "x"})
    with pytest.raises(HarnessError, match="excludes all it has, and nothing else was asked for. Name a kernel with --kernel"):
        chosen(FakeArchive("6.1"), settings=settings)


def test_a_part_is_not_the_matrix(chosen):
    assert chosen(FakeArchive("6.1"), "6.1").hindrance == PART
    assert chosen(FakeArchive("6.1"), "archive", "host").hindrance is None  # the same words as in kernels.toml


def test_an_archive_that_could_not_be_asked_stands_in_the_way_of_publishing(chosen):
    selection = chosen(FakeArchive("6.1", away="The archive is away. Using the list of packages of yesterday."))
    assert selection.specs == ("6.1", "host")
    assert str(selection.hindrance).startswith("The archive is away. Using the list of packages of yesterday, so col")


def test_a_name_of_ones_own_may_stand_in_the_default(chosen):
    settings = Settings(kernels=("archive", "mine"), local={"mine": Path("no/such/bzImage")})
    assert chosen(FakeArchive("6.1"), settings=settings).specs == ("6.1", "mine")
