"""The README's table: generated from a complete run, and kept between two markers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from harness.catalogue import Row
from harness.report import text
from harness.results import Results
from harness.trouble import Trouble

BEGIN = "<!-- matrix:begin -->"
END = "<!-- matrix:end -->"
RESULTS_LINK = "reports/results.ndjson"

_LOOK_TITLE = "Needs a look"
_LOOK_LINK = "#needs-a-look"  # where GitHub puts the title


def render(results: Results, rows: tuple[Row, ...]) -> str:
    """The block between the markers. Only a complete run of the whole catalogue can be published."""
    if not results.footer.complete:
        raise Trouble("This run did not reach all of its cells: it cannot be published. Run ci/matrix again.")
    if set(results.header.plan.tests) != {row.name for row in rows}:
        raise Trouble("The results do not cover exactly the tests of the catalogue. Run ci/matrix again.")
    parts = [_headline(results)]
    for binding in results.header.plan.bindings:
        if len(results.header.plan.bindings) > 1:
            parts.append(f"Through `{binding}`:")
        parts.append("\n".join(_table(results, rows, binding)))
    parts.append("\n".join(f"- `{sign}` {meaning}" for sign, meaning in text.LEGEND.items()))
    parts.append(text.DOUBT)
    if text.findings(results):
        parts.append(f"### {_LOOK_TITLE}")
        parts.append("\n".join(_findings(results, rows)))
    parts.append("### The kernels behind the columns")
    parts.append("\n".join(_kernels(results)))
    return "\n\n".join(parts)


def replace_between_markers(readme: str, block: str) -> str:
    """The README with a new block."""
    before, after = _around(readme)
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def differs(readme: str, results: Results, rows: tuple[Row, ...]) -> bool:
    """Whether the README says anything else than these results."""
    return readme != replace_between_markers(readme, render(results, rows))


def _around(readme: str) -> tuple[str, str]:
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or readme.count(BEGIN) > 1 or readme.count(END) > 1:
        raise Trouble(f"The README must hold {BEGIN} and then {END}, each once. Put them back.")
    return before, after


def _headline(results: Results) -> str:
    header = results.header
    date = datetime.fromisoformat(header.started).strftime("%-d %B %Y")
    suite = f"suite `{header.suite[:12]}`" if header.suite else "suite not committed yet"
    changes = " with uncommitted changes" if header.dirty and header.suite else ""
    return (
        f"**{text.headline(results)}.** {text.number(len(header.plan.tests), 'test')} on "
        f"{text.number(len(header.plan.kernels), 'kernel')}, {date}, {suite}{changes}, "
        f"[results.ndjson]({RESULTS_LINK})."
    )


def _table(results: Results, rows: tuple[Row, ...], binding: str) -> Iterator[str]:
    cells = results.by_position()
    kernels = text.columns(results)
    yield _line("Test", "since", *(_plain(kernel.heading) for kernel in kernels))
    yield _line(":---", "---:", *(":-:" for _ in kernels))
    for row in rows:
        signs = []
        for kernel in kernels:
            cell = cells[row.name, kernel.series, binding]
            sign = text.cell_sign(cell)
            signs.append(f"[{sign}]({_LOOK_LINK})" if cell.surprise else sign)
        yield _line(_link(row), ", ".join((row.since, *row.also)), *signs)


def _findings(results: Results, rows: tuple[Row, ...]) -> Iterator[str]:
    by_name = {row.name: row for row in rows}
    for finding in text.findings(results):
        tests = ", ".join(_link(by_name[test]) for test in finding.tests)
        if len(finding.tests) > 3:
            tests = text.number(len(finding.tests), "test")
        through = f" through `{finding.binding}`" if len(results.header.plan.bindings) > 1 else ""
        again = f" Run again: `{text.portable(finding.rerun)}`" if finding.rerun else ""
        where = f"{_plain(finding.series)}{through}"
        yield f"- `{finding.sign}` {tests} on {where}: {_plain(finding.why)}.{again}"


def _kernels(results: Results) -> Iterator[str]:
    by_series = {kernel.series: kernel for kernel in results.kernels}
    yield _line("Column", "Kernel", "Version", "From")
    yield _line(":---", ":---", ":---", ":---")
    for column in text.columns(results):
        kernel = by_series[column.series]
        release = _plain(kernel.release) if kernel.release else "never answered"
        yield _line(_plain(column.heading), release, _plain(kernel.version or ""), _plain(kernel.source))


def _line(*fields: str) -> str:
    return f"| {' | '.join(fields)} |"


def _link(row: Row) -> str:
    return f"[{row.name}]({row.file})"


def _plain(sentence: str) -> str:
    """Foreign words as plain Markdown text: nothing in them is markup, nothing names this machine."""
    return re.sub(r"([\\`*_~<>|\[\]])", r"\\\1", text.portable(text.one_line(sentence, limit=1000)))
