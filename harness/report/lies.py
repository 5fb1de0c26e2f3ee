"""reports/lies.md: which lie says what, how many tests it turned red, and which; and the README's line about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.catalogue import Row
from harness.report.markdown import code, folded, line, place, plain

if TYPE_CHECKING:
    from harness.lies import Expectation, Lie

PAGE = "lies.md"
BEGIN = "<!-- lies:begin -->"
END = "<!-- lies:end -->"
CONTROL = "nothing"  # tells the truth, and is counted as no lie
SHOWN = 3  # tests in the table; all of them stand below it


def headline(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> str:
    """The numbers, in a sentence."""
    counted = [lie for lie in told if lie.name != CONTROL]
    caught = sum(bool(expected[lie.name].caught_by) for lie in counted)
    return f"Of {len(counted)} lies that a kernel can tell, tests catch {caught}; survived, as documented: {len(counted) - caught}."


def readme_line(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> str:
    """What the README says."""
    return f"{headline(told, expected)} [Which test caught which lie](reports/{PAGE})."


def render(told: Sequence[Lie], expected: Mapping[str, Expectation], rows: Sequence[Row], home: str) -> str:
    """The page. `home` is the way to the top of the repository."""
    kernels = ", ".join(sorted({lie.kernel for lie in told}))
    parts = [
        "# A kernel that lies",
        f"{headline(told, expected)} "
        f"A lie stands between the binding and the real kernel (here Linux {kernels}), at the binding's seam around its system "
        f"calls: [lies.cc]({home}/conformance/support/lies.cc) has them, "
        f"[lies.toml]({home}/conformance/lies.toml) says which tests must catch them. `ci/lies` made this page; "
        "`ci/matrix --kernel host --binding lie:NAME` shows what one lie does to the table.",
        "Named are the tests that must catch the lie; then how many others turned red as well. A test that runs on rings of "
        "several sizes counts once.",
        "\n".join(_table(told, expected)),
        "## All tests that each lie turned red",
        *(_details(lie, rows, home) for lie in told if lie.red),
    ]
    return "\n\n".join(parts) + "\n"


def _table(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> list[str]:
    head = [line("Lie", "What the kernel pretends", "Tests red", "Caught by"), line(":--", ":--", "--:", ":--")]
    return head + [
        line(_name(lie), plain(lie.says), str(len(lie.tests)), _verdict(lie, expected[lie.name])) for lie in told
    ]


def _name(lie: Lie) -> str:
    return f"[{code(lie.name)}](#{lie.name})" if lie.red else code(lie.name)


def _verdict(lie: Lie, expectation: Expectation) -> str:
    words = []
    if expectation.caught_by:
        named = ", ".join(code(test) for test in expectation.caught_by[:SHOWN])
        others = len(lie.tests) - len(expectation.caught_by[:SHOWN])
        words.append(f"{named} and {others} more" if others > 0 else named)
    if expectation.because:
        words.append(f"{'by no other: ' if words else 'survived: '}{plain(expectation.because)}")
    return "; ".join(words)


def _details(lie: Lie, rows: Sequence[Row], home: str) -> str:
    files = {row.stem: row.file for row in rows}
    lines = [f"- [{stem}]({home}/{files[stem]}): {', '.join(map(code, tests))}" for stem, tests in lie.red.items()]
    return f"{place(lie.name)}\n{folded(f'{lie.name}: {lie.says} ({len(lie.tests)} tests)', chr(10).join(lines))}"
