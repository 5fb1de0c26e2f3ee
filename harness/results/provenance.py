# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a run consists of, as digests of files, so that runs can be compared without git and with uncommitted changes.

Each part is a possible cause of a changed cell: the test's own source, the catalogue, the binding, the code that all
tests share, the harness, the adapters of other bindings. Files that cannot change a cell (reports, the harness's
tests) are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.base import outside
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.results.model import Provenance
from harness.suite import catalogue
from harness.suite.binding import Binding, is_ours
from harness.suite.catalogue import Row

#: The files of each part. A pattern that matches nothing is an error: the part has moved.
BINDING = ("bindings/include/**/*.h",)
SUPPORT = (
    "conformance/*.h",
    *(f"conformance/{room}/*" for room in ("fixture", "evidence", "seam", "program")),
    *("conformance/CMakeLists.txt", "CMakeLists.txt", "CMakePresets.json"),
)
HARNESS = (
    "harness/base/*.py", "harness/suite/*.py", "harness/kernels/*", "harness/machines/*.py", "harness/verdicts/*.py",
    "harness/matrix/*.py", "harness/guest/*",
)  # fmt: skip
ADAPTERS = ("conformance/adapters/**/*",)


def provenance_of(rows: Iterable[Row], root: Path = ROOT, bindings: Iterable[Binding] = ()) -> Provenance:
    """The digests of the tree below `root`, of these tests and of these bindings."""
    return Provenance(
        binding=_digest(root, BINDING),
        support=_digest(root, SUPPORT),
        harness=_digest(root, HARNESS),
        catalogue=_digest(
            root, map(str, (path.relative_to(ROOT) for path in (catalogue.ZIG, catalogue.INTERFACE)))
        ),
        tests={row.name: _digest(root, (row.file,)) for row in rows},
        adapters={one.name: _adapter(root, one) for one in bindings if not is_ours(one.name)},
    )


def _adapter(root: Path, binding: Binding) -> str:
    """For a binding that is not ours: the source of our adapters, or the program if we do not have its source."""
    if binding.given is None:
        return _digest(root, ADAPTERS)
    program = binding.program(root)
    return outside.digest(program, outside.PROGRAM, str(program), "Build it again.")


def _digest(root: Path, patterns: Iterable[str]) -> str:
    """One digest of all files and their names, so renaming a file changes it."""
    total = hashlib.sha256()
    for pattern in patterns:
        for path in _files(root, pattern):
            try:
                contents = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise HarnessError(
                    f"{path} cannot be read: {error.strerror}. Make it readable, or restore it from git."
                ) from error
            total.update(f"{contents} {path.relative_to(root)}\n".encode())
    return total.hexdigest()


def _files(root: Path, pattern: str) -> Iterator[Path]:
    found = sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))
    if not found:
        raise HarnessError(
            f"Nothing in {root} matches {pattern}. Correct the pattern in harness/results/provenance.py."
        )
    return iter(found)
