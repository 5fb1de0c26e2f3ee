# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Markdown for the reports that a code-hosting site shows. Text from outside never becomes markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence

from harness.base.words import listed, one_line, sentence
from harness.report import text
from harness.results.model import Results


def plain(sentence: str) -> str:
    """Outside text as plain text on one line: nothing in it is markup."""
    inline = re.sub(r"([\\`*_~<>|\[\]&]|:(?=//)|(?<=\bwww)\.)", r"\\\1", one_line(sentence, limit=1000))
    return re.sub(r"^(\d*)([#+=.)-])(?=\s|$|\2)", r"\1\\\2", inline)  # a heading, a list, a rule


def code(words: str) -> str:
    """Outside text as inline code."""
    flat = one_line(words, limit=1000)
    fence = "`" * (_longest_run(flat) + 1)
    space = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{space}{flat}{space}{fence}"


def fenced(body: str) -> str:
    """Outside text verbatim, as a code block that nothing in it can end."""
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}text\n{body}\n{fence}"


def line(*fields: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(fields)} |"


def folded(summary: str, body: str) -> str:
    """A section to unfold. The summary is HTML, where Markdown escapes would show."""
    return f"<details><summary>{html.escape(one_line(summary, limit=1000))}</summary>\n\n{body}\n\n</details>"


def place(anchor: str) -> str:
    """A target for links."""
    return f'<a id="{anchor}"></a>'


def known_lines(known: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[str]:
    """The known deviations as a list (text.known_deviations)."""
    for (test, why), kernels in known.items():
        yield f"- {plain(test)} on {plain(listed(kernels))}: {plain(sentence(why))}"


def legend(results: Results) -> str:
    """The meaning of the signs."""
    return "\n".join(f"- `{sign}` {meaning}" for sign, meaning in text.legend(results).items())


def short_legend(results: Results) -> str:
    """The same on one line."""
    return ", ".join(f"`{sign}` {text.SHORT[sign]}" for sign in text.legend(results))


def doubt(home: str | None) -> str:
    """Whom to tell of a mistake; `home` is the way to the top of the repository, with its slash."""
    return f"{text.DOUBT}: please {'tell us' if home is None else f'[tell us]({home}{text.TELL_US})'}."


def _longest_run(words: str) -> int:
    return max((len(run) for run in re.findall("`+", words)), default=0)
