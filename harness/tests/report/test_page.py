# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The HTML report in a real browser: readable in light and dark, at every width and without scripts, and its links work.

Headless Chromium loads the page. What a person would notice is measured: contrast, sideways scrolling,
covered targets, words on the console, a filter that filters.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.base.paths import RESULTS, ROOT
from harness.report import html, text, view
from harness.report.view import Place
from harness.results.file import read_results
from harness.results.model import Footer, Plan, Results
from harness.suite import catalogue
from harness.tests.report.test_bindings_report import BOUND
from harness.tests.report.test_report import BESIDE, GOLDEN, ROWS, RUN
from harness.verdicts.judge import Verdict

DRIVER = Path("/usr/bin/chromedriver")
CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDE, PHONE = 1280, 390


def many() -> Results:
    """All tests on as many kernels as the matrix has, through two bindings, cut short: a page as large as they get."""
    tests = tuple(row.name for row in catalogue.load())
    kernels = tuple(f"6.{minor}" for minor in range(10, 21)) + ("host",)
    plan = Plan(tests=tests, kernels=kernels, bindings=("uring", "lie:refuse_all"))
    cells = tuple(
        replace(RUN.cells[number % len(RUN.cells)], test=test, series=series, binding=binding)
        for number, (test, series, binding, _) in enumerate(plan.positions())
        if number % 7
    )
    lines = tuple(
        replace(RUN.kernels[0], series=series) for series in kernels[2:]
    )  # the first two did not run
    header = replace(RUN.header, plan=plan)
    return Results(
        header=header, kernels=lines, cells=cells, footer=Footer.count(plan, cells, RUN.footer.ended)
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages under test."""
    directory = tmp_path_factory.mktemp("pages")
    written = {}
    runs = {
        "canned": (RUN, ROWS),
        "many": (many(), catalogue.load()),
        "bindings": (BOUND, ROWS),
        "published": (read_results(ROOT / "reports" / RESULTS), catalogue.load()),
    }
    for name, (run, rows) in runs.items():
        written[name] = directory / f"{name}.html"
        written[name].write_text(
            html.render(run, rows, Place(home=str(ROOT), beside=BESIDE)), encoding="utf-8"
        )
    return written


class Browser:
    """A browser window, and what a test does with it."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def show(self, page: Path, *, fragment: str = "", width: int = WIDE, scripts: bool = True) -> None:
        """Loads the page again. Any complaint of the browser is a failure."""
        self._tell("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.resize(width)
        self.shine(dark=False)
        self._driver.get("about:blank")  # a new fragment alone would not load anything
        self._driver.get(f"{page.as_uri()}{'#' if fragment else ''}{fragment}")
        self.must_be_silent()

    def resize(self, width: int) -> None:
        """Makes the window that wide."""
        phone = width == PHONE
        self._tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=phone
        )

    def shine(self, dark: bool) -> None:
        """Prefers a light page, or a dark one."""
        light = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._tell("Emulation.setEmulatedMedia", media="", features=[light])

    def print(self) -> None:
        """Shows the page as it is printed."""
        self._tell("Emulation.setEmulatedMedia", media="print", features=[])

    def go(self, fragment: str) -> None:
        """Follows a link within the page, and waits until the page knows."""
        self.ask("return new Promise(done => { addEventListener('hashchange', () => setTimeout(done), {once: true});"
                 "location.hash = arguments[0]; })", fragment)  # fmt: skip
        self.must_be_silent()

    def click(self, selector: str) -> None:
        """Clicks where the reader would; an element that is covered cannot be clicked."""
        self._driver.find_element("css selector", selector).click()

    def ask(self, question: str, *arguments: Any) -> Any:
        """The result of a piece of JavaScript; the browser runs ours even where the page's own may not run."""
        return self._driver.execute_script(question, *arguments)

    def must_be_silent(self) -> None:
        """No warning and no error on the console."""
        said = [entry for entry in self._driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]
        assert said == []

    def _tell(self, command: str, **parameters: Any) -> None:
        self._driver.execute_cdp_cmd(command, parameters)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless Chromium for all tests: starting it takes longer than all the tests."""
    missing = [
        name for name, path in (("chromium", CHROMIUM), ("chromium-driver", DRIVER)) if not path.exists()
    ]
    with contextlib.suppress(ImportError):
        from selenium.webdriver import Chrome, ChromeOptions
        from selenium.webdriver.chrome.service import Service
    if "Chrome" not in locals():
        missing.append("python3-selenium")
    assert not missing, f"The page is looked at in a browser. Install it with apt: {' '.join(missing)}"
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


PROBLEMS = r"""
const problems = [];
for (const details of document.querySelectorAll("details")) details.open = true;

// Not innerWidth: a phone zooms out until everything fits, which is what nobody should have to read.
const { scrollWidth, clientWidth } = document.documentElement;
if (scrollWidth > clientWidth) problems.push(`the page is ${scrollWidth} wide and the window ${clientWidth}`);

const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) problems.push(`two are called ${id}`);
for (const link of document.querySelectorAll("a[href^='#']"))
  if (!ids.includes(decodeURIComponent(link.hash.slice(1)))) problems.push(`${link.hash} leads nowhere`);
for (const link of document.querySelectorAll("a[href]:not([href^='#'])"))
  if (link.protocol !== "file:") problems.push(`a foreign link: ${link.href}`);

if (document.scripts.length !== 1) problems.push(`${document.scripts.length} scripts`);
for (const element of document.querySelectorAll("img, iframe, object, form, [onerror], [onclick]"))
  problems.push(`something foreign: ${element.outerHTML}`);
for (const element of document.querySelectorAll("[src], link:not([href^='data:'])"))
  problems.push(`it loads ${element.outerHTML}`);
for (const sheet of document.styleSheets)
  for (const rule of sheet.cssRules) if (/@import|url\(/.test(rule.cssText)) problems.push(`it loads ${rule.cssText}`);

const channels = (color) => color.match(/[\d.]+/g).map(Number);
const linear = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
function paper(element) {
  for (; element; element = element.parentElement) {
    const color = channels(getComputedStyle(element).backgroundColor);
    if (color.length === 3) return color;
    if (color[3] !== 0) problems.push("a background that is half seen through is not measured");
  }
  return [255, 255, 255];
}
let measured = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.matches("script, style")) continue;
  const ink = luminance(channels(getComputedStyle(element).color)), ground = luminance(paper(element));
  const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  measured++;
  if (contrast < 4.5) problems.push(`contrast ${contrast} of ${element.className} ${walker.currentNode.data.trim()}`);
}
if (measured < 100) problems.push(`only ${measured} texts were seen`);
return [...new Set(problems)].slice(0, 20);
"""


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("name", ["canned", "bindings", "published"])
def test_a_person_can_read_it(browser: Browser, pages: dict[str, Path], name: str, scripts: bool) -> None:
    browser.show(pages[name], scripts=scripts)
    for dark in (False, True):
        browser.shine(dark)
        for width in (WIDE, PHONE):
            browser.resize(width)
            assert browser.ask(PROBLEMS) == [], (dark, width)
        background = re.findall(r"\d+", browser.ask("return getComputedStyle(document.body).backgroundColor"))
        assert (int(background[0]) < 128) == dark
    browser.must_be_silent()


def test_a_person_can_read_it_on_paper(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["canned"], width=800)
    browser.print()
    assert browser.ask(PROBLEMS) == []
    assert not browser.ask("return document.querySelector('nav').checkVisibility()")


def test_a_table_that_does_not_fit_scrolls_and_the_page_does_not(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.show(pages["many"])
    for width in (PHONE, 600, 1000, 1150, 1175, 1200, 1250):
        browser.resize(width)
        assert browser.ask("return document.documentElement.scrollWidth") <= width
    assert browser.ask(PROBLEMS) == []
    browser.resize(PHONE)
    assert browser.ask(PROBLEMS) == []


def visible(browser: Browser, selector: str, name: str) -> list[str]:
    return browser.ask(
        "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility())"
        ".map(e => e.dataset[arguments[1]])",
        selector, name,
    )  # fmt: skip


def rows(browser: Browser) -> list[str]:
    return visible(browser, "table tr[data-test]", "test")


def test_each_cell_shows_its_sign_and_only_surprises_are_links(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.show(pages["canned"])
    shown = browser.ask(
        "return [...document.querySelectorAll('table tr[data-test]')].map(row => [row.dataset.test,"
        "[...row.querySelectorAll('td[data-kernel]')].map(cell => [cell.dataset.kernel, cell.textContent,"
        " !!cell.querySelector('a'), cell.title])])"
    )
    found = {(stem, kernel): rest for stem, cells in shown for kernel, *rest in cells}
    assert len(found) == len(RUN.cells)
    for cell in RUN.cells:
        sign, link, title = found[cell.stem, cell.series]
        assert (sign, link) == (text.cell_sign(cell), cell.surprise)
        assert title.startswith(f"{cell.test} on {cell.series}") and ": " in title


def test_bindings_stand_side_by_side_where_they_differ(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["bindings"])
    shown = browser.ask(
        "return [...document.querySelectorAll('.contrasts tbody tr')].map(row => [...row.children].map(cell =>"
        " [cell.textContent, cell.querySelector('a')?.hash ?? null]))"
    )
    assert shown == [
        [[contrast.test, f"#about-{stem}"], [contrast.kernels, None]]
        + [[cell.sign, f"#{place}" if (place := cell.anchor(stem)) else None] for cell in contrast.cells]
        for contrast in view.contrasts(BOUND)
        for stem in (row.stem for row in ROWS if row.name == contrast.test)
    ]
    assert browser.ask("return document.querySelector('nav a[href=\"#bindings\"]') !== null")
    browser.show(pages["canned"])
    assert not browser.ask("return document.querySelector('#bindings, nav a[href=\"#bindings\"]') !== null")


def test_the_headline_tells_surprises_and_no_score(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["canned"])
    assert (
        browser.ask("return document.querySelector('h1').textContent")
        == f"{text.surprises(RUN)} cells need a look."
    )
    assert "%" not in browser.ask("return document.querySelector('header').textContent")


def test_the_address_filters(browser: Browser, pages: dict[str, Path]) -> None:
    stems = [row.stem for row in ROWS]
    odd = {cell.stem for cell in RUN.cells if cell.surprise}
    browser.show(pages["canned"], fragment="surprises")
    assert set(rows(browser)) == odd
    browser.go("test=openat")
    assert rows(browser) == ["openat"]
    assert set(visible(browser, "article", "test")) <= {"openat"} | {" ".join(stems)}
    browser.go("kernel=6.12")
    assert sorted(rows(browser)) == sorted(stems)
    assert set(visible(browser, "table [data-kernel], article, .card", "kernel")) == {"6.12"}
    browser.go("test=openat&kernel=6.1")
    assert rows(browser) == ["openat"]
    assert visible(browser, "table td[data-kernel]", "kernel") == ["6.1"]
    said = browser.ask("return document.getElementById('filter').textContent")
    assert said == "Only openat on 6.1: 1 of 8 rows. Show everything"
    browser.click("#filter a")
    assert sorted(rows(browser)) == sorted(stems)
    assert not browser.ask("return document.getElementById('filter').checkVisibility()")
    assert set(visible(browser, "table [data-kernel]", "kernel")) == set(RUN.header.plan.kernels)


def test_an_address_that_says_nothing_filters_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["canned"], fragment="%")
    assert len(rows(browser)) == len(ROWS)
    for fragment in ("test", "nothing", "table", "%E0%A4%A"):
        browser.go(fragment)
        assert len(rows(browser)) == len(ROWS)
    browser.go("test=none")
    assert rows(browser) == []
    browser.click("#filter a")
    assert len(rows(browser)) == len(ROWS)


def test_without_scripts_every_address_leads_to_what_it_would_show(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.show(pages["canned"], scripts=False)
    for fragment in ("surprises", "test=openat", "kernel=6.1"):
        assert browser.ask("return document.getElementById(arguments[0]) !== null", fragment)
    assert len(rows(browser)) == len(ROWS)
    assert not browser.ask("return document.getElementById('filter').checkVisibility()")


@pytest.mark.parametrize("width", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_sticky_covers_what_a_link_leads_to(
    browser: Browser, pages: dict[str, Path], width: int
) -> None:
    browser.show(pages["canned"], width=width, scripts=False)
    covered = browser.ask(
        """
        const links = new Set([...document.querySelectorAll("a[href^='#']")].map((link) => link.hash.slice(1)));
        for (const row of document.querySelectorAll("tr[id]")) links.add(row.id);
        return [...links].filter((id) => {
          location.hash = id;
          const target = document.getElementById(decodeURIComponent(id));
          const seen = target.matches(".target") ? target.closest("article").querySelector("h3") : target;
          const box = seen.getBoundingClientRect();
          const head = document.querySelector("thead th").getBoundingClientRect();
          const hidden = box.top < head.bottom - 1 && box.bottom > head.top + 1 && !seen.closest("thead, #table");
          const underHead = seen.matches("tr") && box.top < head.bottom - 1;
          return box.top < -1 || box.top > innerHeight - 20 || hidden || underHead;
        });
        """
    )
    assert covered == []


def test_the_head_of_a_wide_table_stays_in_sight(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["published"], fragment="test=waitid", scripts=False)
    top, bottom = browser.ask(
        "const box = document.querySelector('thead th').getBoundingClientRect(); return [box.top, box.bottom]"
    )
    assert -1 <= top < bottom < 100


def test_a_link_to_a_row_unfolds_it(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["canned"])
    browser.click("#test\\=openat th a")
    assert browser.ask("return document.getElementById('about-openat').open")


def test_a_quiet_run_says_so(browser: Browser, tmp_path: Path) -> None:
    quiet = tuple(replace(cell, verdict=Verdict.WORKS) for cell in RUN.cells)
    footer = Footer.count(RUN.header.plan, quiet, RUN.footer.ended)
    page = tmp_path / "quiet.html"
    run = replace(RUN, cells=quiet, footer=footer)
    page.write_text(html.render(run, ROWS, Place(home=str(ROOT))), encoding="utf-8")
    browser.show(page)
    assert browser.ask("return document.querySelector('h1').textContent") == "No surprises."
    assert browser.ask("return document.querySelectorAll('article').length") == 0


def test_a_run_that_was_cut_short_says_so(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["many"])
    footer = many().footer
    assert browser.ask("return document.querySelector('.cut').textContent").startswith(
        f"Cut short: {footer.cells} of "
    )


def test_the_approved_page_is_what_is_looked_at(pages: dict[str, Path]) -> None:
    looked_at = pages["canned"].read_text().replace(str(ROOT), "../../..")
    assert looked_at == (GOLDEN / "index.html").read_text()
