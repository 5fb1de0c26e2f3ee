"""Which lines of a kernel log are complaints: the kernel reports a bug, its own or its user's.

A log line is "<level>text", as the runner reads it from /dev/kmsg, or a line of a serial console, which has no
level. On a machine that also does other work (the host), a line counts only if something ties it to io_uring.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Words by which the kernel reports a bug, at any log level.
COMPLAINT = re.compile(
    r"WARNING:|BUG:|\bOops\b|Kernel panic|general protection fault|KASAN|KCSAN|KMSAN|UBSAN|KFENCE|lockdep"
    r"|locking dependency|INFO: rcu|rcu: INFO|INFO: task .* blocked|unreferenced object|refcount_t:"
    r"|list_(add|del) corruption|soft lockup|hard LOCKUP"
)

#: Lines that say nothing about the test, and why. Matched first.
HARMLESS: tuple[tuple[re.Pattern[str], str], ...] = ()

ERROR = 3  # KERN_ERR; lower numbers are worse

_LEVEL = re.compile(r"<(\d)>")
_PREFIX = re.compile(r"<\d>|\[ *\d+\.\d+\](\[ *[TC]\d+\])? ")

#: The taint bits by which a kernel remembers bugs: machine check, bad page, Oops, warning, soft lockup.
#: The others are about modules, which anyone may load on a host at any time.
BUG_TAINT = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14


def complaints(lines: Sequence[str], taint: tuple[int, int] | None, *, shared: bool) -> tuple[str, ...]:
    """The complaints among the lines, plus any new taint. `shared`: the log also has lines of other work."""
    found = [line for line in lines if _complains(line, any_error=not shared)]
    before, after = taint or (0, 0)
    new = after & ~before & (BUG_TAINT if shared else ~0)
    if shared and not new and not any("io_uring" in line for line in lines):
        return ()
    if new:
        found.append(f"taint went from {before} to {after}")
    return tuple(found)


def text(line: str) -> str:
    """The text of a line, without its level or the console's timestamp: the same in both forms."""
    return _PREFIX.sub("", line, count=1) if _PREFIX.match(line) else line


def _complains(line: str, *, any_error: bool) -> bool:
    if any(pattern.search(line) for pattern, _ in HARMLESS):
        return False
    level = _LEVEL.match(line)
    return bool(COMPLAINT.search(line)) or (any_error and level is not None and int(level[1]) <= ERROR)
