"""The README's table: generated from a complete run, and kept between two markers.

It answers one question, "does it work on my kernel?"; why not is answered by matrix.md, where every surprise leads.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalogue import Row
from harness.report import foreign, text, view
from harness.report.markdown import code, legend, line, plain
from harness.results import Results
from harness.trouble import Trouble

BEGIN = "<!-- matrix:begin -->"
END = "<!-- matrix:end -->"
DETAILS = "reports/matrix.md"
RESULTS_LINK = "reports/results.ndjson"


def render(results: Results, rows: tuple[Row, ...]) -> str:
    """The block between the markers. Only a complete run of the whole catalogue can be published."""
    if not results.footer.complete:
        raise Trouble("This run did not reach all of its cells: it cannot be published. Run ci/matrix again.")
    if set(results.header.plan.tests) != {row.name for row in rows}:
        raise Trouble("The results do not cover exactly the tests of the catalogue. Run ci/matrix again.")
    results = foreign.for_everybody(results)
    parts = [_headline(results)]
    for binding in results.header.plan.bindings:
        if len(results.header.plan.bindings) > 1:
            parts.append(f"Through `{binding}`:")
        parts.append("\n".join(_table(results, rows, binding)))
    parts.append(legend())
    parts.append(text.DOUBT)
    if text.findings(results):
        parts.append("### Needs a look")
        parts.append("\n".join(_findings(results, rows)))
    parts.append(
        f"[{DETAILS}]({DETAILS}) has the exact kernels, the evidence of each surprise, "
        "and how each absence was checked."
    )
    return "\n\n".join(parts)


def replace_between_markers(readme: str, block: str, begin: str = BEGIN, end: str = END) -> str:
    """The README with a new block."""
    before, began, rest = readme.partition(begin)
    _, ended, after = rest.partition(end)
    if not began or not ended or readme.count(begin) > 1 or readme.count(end) > 1:
        raise Trouble(f"The README must hold {begin} and then {end}, each once. Put them back.")
    return f"{before}{begin}\n{block}\n{end}{after}"


def _headline(results: Results) -> str:
    plan = results.header.plan
    return (
        f"**{text.headline(results)}.** {text.number(len(plan.tests), 'test')} on "
        f"{text.number(len(plan.kernels), 'kernel')}, {view.day(results)}, suite {code(view.suite(results))}, "
        f"[results.ndjson]({RESULTS_LINK})."
    )


def _table(results: Results, rows: tuple[Row, ...], binding: str) -> Iterator[str]:
    cells = results.by_position()
    kernels = text.columns(results)
    links = (f"[{plain(kernel.heading)}]({DETAILS}#kernel={view.word(kernel.series)})" for kernel in kernels)
    yield line("Test", "since", *links)
    yield line(":---", "---:", *(":-:" for _ in kernels))
    for row in rows:
        signs = []
        for kernel in kernels:
            cell = cells[row.name, kernel.series, binding]
            sign = text.cell_sign(cell)
            anchor = view.anchor(row.stem, kernel.series, binding)
            signs.append(f"[{sign}]({DETAILS}#{anchor})" if cell.surprise else sign)
        yield line(f"[{row.name}]({row.file})", ", ".join((row.since, *row.also)), *signs)


def _findings(results: Results, rows: tuple[Row, ...]) -> Iterator[str]:
    for article in view.articles(results, rows):
        link = f"[{plain(article.title)}]({DETAILS}#{article.anchors[0]})"
        yield f"- `{article.sign}` {link}: {plain(text.sentence(article.why))}"
