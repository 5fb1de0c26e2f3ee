# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness adapters`: builds the conformance programs of bindings that are not installed here.

They go where ci/build puts the others, which then keeps them up to date, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.base import command_line
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.output import say
from harness.base.paths import ROOT
from harness.kernels.settings import load_settings
from harness.suite.other_bindings import (
    CRATE,
    LIBURING,
    NEWEST,
    OtherBinding,
    OtherBindings,
    installed_version,
    run,
)

LATER = ("trixie", NEWEST)  # the suites whose liburing is tested beside the installed one
RUST = "rust-io-uring"


def main(arguments: Sequence[str]) -> int:
    """Fetch, configure and build, then list the new programs."""
    parser = command_line.parser(
        "adapters",
        "Fetches newer versions of liburing and the Rust crate io-uring from the archive (into the cache, without "
        "installing them), and builds the conformance program of each.",
    )
    command_line.add_cache(parser)
    command_line.add_archive(parser)
    command_line.add_build(parser)
    options = parser.parse_args(arguments)
    others = OtherBindings(
        Cache(options.cache), LATER, _say, known=load_settings().suites, mirror=options.mirror
    )
    installed = installed_version("liburing-dev")
    liburings = [other for other in _had(others, LIBURING, LATER) if other.version != installed]
    (crate,) = _had(others, CRATE, (NEWEST,))
    made = build(options.build, liburings, crate)
    say(f"Built: {', '.join(made)}. Run them with ci/matrix --binding NAME.")
    return 0


def build(directory: Path, liburings: Sequence[OtherBinding], crate: OtherBinding) -> list[str]:
    """Build the programs. Returns the names of their bindings."""
    run(["cmake", "--preset", "default", "-B", str(directory), *cache_variables(liburings, crate)], cwd=ROOT)
    names = [*(f"liburing-{other.version}" for other in liburings), RUST]
    run(
        ["cmake", "--build", str(directory), "--target", *(f"conformance-{name}" for name in names)], cwd=ROOT
    )
    return names


def cache_variables(liburings: Sequence[OtherBinding], crate: OtherBinding) -> list[str]:
    """CMake variables with the locations of the bindings."""
    roots = ";".join(f"{other.version}={other.root}" for other in liburings)
    return [f"-DURING_ADAPTER_LIBURING={roots}", f"-DURING_ADAPTER_RUST={crate.registry}"]


def _had(others: OtherBindings, packages: Sequence[str], suites: Sequence[str]) -> list[OtherBinding]:
    """The bindings in the archive; if it cannot be reached, the last one that was fetched."""
    try:
        return others.fetch(packages, suites)
    except HarnessError as error:
        last = others.earlier(packages)
        if last is None:
            raise
        _say(f"{error} Using {packages[0]} {last.version}, which was fetched earlier.")
        return [last]


def _say(said: str) -> None:
    say(said, error=True)
