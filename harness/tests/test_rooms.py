"""The rooms of the harness, in the only order in which they may import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from harness.base.paths import ROOT

HARNESS = ROOT / "harness"
#: A room imports itself and the rooms before it. The tests and __main__ may import any.
ROOMS = (
    "base", "suite", "kernels", "machines", "verdicts", "results", "report", "matrix", "lies", "mutation", "bench", "commands",
)  # fmt: skip
PYTEST_ONLY_IN = "matrix"


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, by their dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def objections(harness: Path = HARNESS) -> Iterator[str]:
    """The imports that break the order, as sentences that say what to do instead."""
    for path in sorted(harness.glob("*/**/*.py")):
        room = path.relative_to(harness).parts[0]
        if room == "tests":
            continue
        if room not in ROOMS:
            yield f"harness/{room} is a new room: say in ROOMS of {Path(__file__).name} which rooms it may import."
            continue
        for name in imports(path):
            first, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if first == "harness" and (other not in ROOMS or ROOMS.index(other) > ROOMS.index(room)):
                yield (
                    f"{path.relative_to(harness)} imports {name}: {room}/ must not know {other}/, which comes after it. "
                    f"Pass the value in from {other}/, or move what both need to a room before {room}/."
                )
            if first == "pytest" and room != PYTEST_ONLY_IN:
                yield f"{path.relative_to(harness)} imports pytest: only {PYTEST_ONLY_IN}/ is a plugin. Move the code that needs it there."


def test_a_room_imports_only_rooms_before_it() -> None:
    assert not list(objections())


def test_a_room_that_reaches_up_is_told_what_to_do_instead(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "view.py").write_text("import pytest\nfrom harness.machines.accelerator import choose\n")
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "vm.py").write_text("from harness.base.errors import HarnessError\n")
    assert list(objections(tmp_path)) == [
        "report/view.py imports pytest: only matrix/ is a plugin. Move the code that needs it there."
    ]
    (tmp_path / "machines" / "vm.py").write_text("def late():\n    from harness.report import text\n")
    (found, _) = objections(tmp_path)
    assert found.startswith("machines/vm.py imports harness.report.text: machines/ must not know report/")
