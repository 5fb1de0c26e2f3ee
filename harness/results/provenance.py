"""What a run is made of, as digests of files: so that two runs can be compared without git, and with a changed tree.

A part is what can be to blame for a changed cell: the test's own source, the catalogue, the binding, what all tests
share, the harness, the adapters of other bindings. What can change no cell (reports, the harness's tests) is in none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.base.cache import sha256_of
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.results.model import Provenance
from harness.suite import catalogue
from harness.suite.binding import Binding, is_ours
from harness.suite.catalogue import Row

#: Where the files of a part are. An entry that names nothing is an error: the part has moved.
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
    """The digests of the tree below `root`, with those of these tests and bindings."""
    return Provenance(
        binding=_digest(root, BINDING),
        support=_digest(root, SUPPORT),
        harness=_digest(root, HARNESS),
        catalogue=_digest(root, (str(catalogue.PATH.relative_to(ROOT)),)),
        tests={row.name: _digest(root, (row.file,)) for row in rows},
        adapters={one.name: _adapter(root, one) for one in bindings if not is_ours(one.name)},
    )


def _adapter(root: Path, binding: Binding) -> str:
    """Of a binding that is not ours: the source of our adapters, or a program of which we have no source."""
    if binding.given is None:
        return _digest(root, ADAPTERS)
    return sha256_of(binding.program(root))


def _digest(root: Path, patterns: Iterable[str]) -> str:
    """One digest of all files, with their names: a renamed file is another tree."""
    total = hashlib.sha256()
    for pattern in patterns:
        for path in _files(root, pattern):
            try:
                contents = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise HarnessError(f"{path} cannot be read: {error.strerror}. The results could not say what they are of.") from error
            total.update(f"{contents} {path.relative_to(root)}\n".encode())
    return total.hexdigest()


def _files(root: Path, pattern: str) -> Iterator[Path]:
    found = sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))
    if not found:
        raise HarnessError(f"There is no {pattern} in {root}: correct harness/results/provenance.py, which says where it is.")
    return iter(found)
