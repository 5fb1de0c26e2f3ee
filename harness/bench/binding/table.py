"""The goals, and the table in bindings/bench/README.md."""

from __future__ import annotations

from harness.base.errors import HarnessError
from harness.bench.binding.measure import Figures, Measured
from harness.bench.binding.peers import NEWEST, OURS, PLUGINS, Peer

BEGIN = "<!-- bench:begin -->"
END = "<!-- bench:end -->"

# Instructions per NOP, as a ratio to the newest liburing of the same run.
RATIOS = {"nop/1": 0.59, "nop/1/defer": 0.59, "nop/32": 0.56, "nop/32/defer": 0.56}
TIME_RATIOS = {"nop/1": 0.80, "nop/32": 1.00}  # reported, not enforced: times vary with the load of the machine
TEXT_BYTES = 2048


def missed(measured: Measured, bindings: dict[str, Peer | str]) -> list[str]:
    """The missed goals, each as a sentence. A missing binding is one of them, because nothing was compared with it."""
    sentences = [f"{name} is missing: {peer}." for name, peer in bindings.items() if isinstance(peer, str)]
    figures = measured.instructions
    for row in rows(figures):
        ours = figures[row, OURS]
        for name in _there(bindings):
            if name != OURS and ours > figures[row, name]:
                sentences.append(f"{row}: {ours:.2f} instructions, {name} needs {figures[row, name]:.2f}.")
        goal, newest = RATIOS.get(row), figures.get((row, NEWEST))
        if goal is not None and newest is not None and ours > goal * newest:
            sentences.append(f"{row}: {ours / newest:.3f} of the newest liburing's instructions, the goal is {goal}.")
        if measured.calls[row, OURS] != 1 / batch(row):
            sentences.append(f"{row}: {measured.calls[row, OURS]:.4f} system calls per operation, not 1/{batch(row)}.")
    if measured.text_bytes > TEXT_BYTES:
        sentences.append(f"The freestanding NOP has {measured.text_bytes} bytes of code, the goal is {TEXT_BYTES}.")
    return sentences


def late(nanoseconds: Figures) -> list[str]:
    """The goals for times that this run missed, each as a sentence."""
    return [
        f"{row}: {nanoseconds[row, OURS] / nanoseconds[row, NEWEST]:.2f} of the newest liburing's time, goal {goal:.2f}."
        for row, goal in TIME_RATIOS.items()
        if (row, NEWEST) in nanoseconds and nanoseconds[row, OURS] > goal * nanoseconds[row, NEWEST]
    ]


def render(measured: Measured, bindings: dict[str, Peer | str], about: str) -> str:
    """The table, with missing bindings and missed goals."""
    parts = [about, "User-space instructions per operation; ratio: ours to the newest liburing.",
             _figures(measured.instructions, bindings, 2)]  # fmt: skip
    if measured.nanoseconds:
        order = rows(measured.instructions)  # times come in the random order of measurement
        parts += ["Nanoseconds per operation, medians.", _figures(measured.nanoseconds, bindings, 0, order=order)]
    if all(calls == 1 / batch(row) for (row, _), calls in measured.calls.items()):
        parts.append("System calls per operation: exactly 1/batch, for every binding in every row.")
    else:
        parts += ["System calls per operation.", _figures(measured.calls, bindings, 4, ratio=False)]
    parts.append(f"Freestanding NOP program, stripped: {measured.text_bytes} bytes of code, "
                 f"{measured.program_bytes} bytes in all.")  # fmt: skip
    failed = missed(measured, bindings)
    parts.append("All enforced goals are met." if not failed else "Not met:\n\n" + "\n".join(f"- {f}" for f in failed))
    if slow := late(measured.nanoseconds):
        parts.append("Goals for times that this run missed:\n\n" + "\n".join(f"- {line}" for line in slow))
    return "\n\n".join(parts)


def replace_between_markers(readme: str, block: str) -> str:
    """The README with a new table."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise HarnessError(f"bindings/bench/README.md must contain {BEGIN} and then {END}. Put them back.")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def rows(figures: Figures) -> list[str]:
    """The rows in the order in which they ran."""
    return list(dict.fromkeys(row for row, _ in figures))


def batch(row: str) -> int:
    """Operations per system call: the number in the row's name."""
    return int(row.split("/")[1])


def _there(bindings: dict[str, Peer | str]) -> list[str]:
    return [name for name in PLUGINS if isinstance(bindings.get(name), Peer)]


def _figures(
    figures: Figures, bindings: dict[str, Peer | str], digits: int, *, order: list[str] | None = None, ratio: bool = True
) -> str:
    titles = []
    for name in PLUGINS:
        peer = bindings.get(name, "not requested")
        titles.append(peer.title if isinstance(peer, Peer) else f"{name} (missing)")
    lines = ["| Row | " + " | ".join(titles) + (" | ratio |" if ratio else " |"),
             "| :-- |" + " --: |" * (len(titles) + ratio)]  # fmt: skip
    for row in order or rows(figures):
        cells = [f"{figures[row, name]:.{digits}f}" if (row, name) in figures else "missing" for name in PLUGINS]
        if ratio:
            newest = figures.get((row, NEWEST))
            cells.append(f"{figures[row, OURS] / newest:.2f}" if newest else "missing")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
