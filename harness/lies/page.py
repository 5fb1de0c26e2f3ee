"""reports/lies.md: the lies, how many tests each turned red, and which; and the README's line about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.report.markdown import code, folded, line, place, plain

if TYPE_CHECKING:
    from harness.lies.model import Expectation, Lie

PAGE = "lies.md"
BEGIN = "<!-- lies:begin -->"
END = "<!-- lies:end -->"
CONTROL = "nothing"  # tells the truth, so it does not count as a lie
SHOWN = 3  # tests in the table; the full list is below it


def headline(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> str:
    """The numbers in one sentence."""
    counted = [lie for lie in told if lie.name != CONTROL]
    caught = sum(bool(expected[lie.name].caught_by) for lie in counted)
    survived = len(counted) - caught
    return (
        f"Tests catch {caught} of the {len(counted)} lies that a kernel can tell; "
        f"{survived} {'survives' if survived == 1 else 'survive'}, as documented."
    )


def readme_line(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> str:
    """The line in the README."""
    return f"{headline(told, expected)} [Which test caught which lie](reports/{PAGE})."


def render(told: Sequence[Lie], expected: Mapping[str, Expectation], home: str) -> str:
    """The page. `home` is the path to the top of the repository."""
    kernels = ", ".join(sorted({lie.kernel for lie in told}))
    parts = [
        "# A kernel that lies",
        f"{headline(told, expected)} "
        f"A lie sits between the binding and the real kernel (here Linux {kernels}), at the binding's seam around its system "
        f"calls. [lies.cc]({home}/conformance/seam/lies.cc) defines the lies, "
        f"[lies.toml]({home}/conformance/catalogue/lies.toml) says which tests must catch them. `ci/lies` generates this page, and `ci/test` fails if a lie "
        "is no longer caught as documented; "
        "`ci/matrix --kernel host --binding lie:NAME` shows what one lie does to the table.",
        "The last column names the tests that must catch the lie, then how many others also turned red. A test that runs on "
        "rings of several sizes counts once.",
        "\n".join(_table(told, expected)),
        "## All tests that each lie turned red",
        "By row. \"all\" means all tests of the row that any lie turns red.",
        *(_details(lie, _all_tests(told)) for lie in told if lie.red),
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


def _all_tests(told: Sequence[Lie]) -> dict[str, set[str]]:
    """The tests of each row that any lie turned red."""
    found: dict[str, set[str]] = {}
    for lie in told:
        for row, tests in lie.red.items():
            found.setdefault(row, set()).update(tests)
    return found


def _details(lie: Lie, known: Mapping[str, set[str]]) -> str:
    lines = [f"- {code(row)}: {_named(tests, known[row])}" for row, tests in lie.red.items()]
    return f"{place(lie.name)}\n{folded(f'{lie.name}: {lie.says} ({len(lie.tests)} tests)', chr(10).join(lines))}"


def _named(tests: Sequence[str], known: set[str]) -> str:
    return f"all {len(tests)}" if len(tests) > 1 and set(tests) == known else ", ".join(map(code, tests))
