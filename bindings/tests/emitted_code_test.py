# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Looks at the instructions that the compiler emits where the binding shares memory with the kernel.

    emitted_code_test.py --include DIR [--compiler ARCHITECTURE=COMMAND ...]

The compilers are GCCs; without the option, those that Debian has on x86_64 for both architectures.
aarch64 has an instruction for each order (ldar, stlr, dmb), so a weakened one is seen there. The one order that aarch64
does not tell apart, a fence weaker than sequentially consistent, is seen on x86_64, where it is no instruction at all.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("emitted_code.cc")
OPTIONS = (
    "-std=c++20",
    "-O2",
    "-ffreestanding",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-asynchronous-unwind-tables",
    "-S",
    "-o-",
)

#: The compilers to look at if none is named.
COMPILERS = {"aarch64": "aarch64-linux-gnu-g++", "x86_64": "g++"}

#: What an instruction does to memory: the first pattern that matches. Other instructions do nothing.
EVENTS = {
    "aarch64": (
        (r"ldap?rh?\b|ldarh?\b", "acquire"),
        (r"stlrh?\b", "release"),
        (r"dmb\s+ish$", "fence"),
        (r"ldrh?\s+w", "load32"),
        (r"ldr\s+x|ldp\b", "load64"),
        (r"str|stp", "store"),
        (r"svc\b", "syscall"),
        (r"lsr\s+[xw]0, x0, #?63", "sign"),
    ),
    "x86_64": (
        (r"lock\b|mfence", "fence"),
        (r"movl\s+\d*\(%r[^,]+, %e|testl\s+\$\d+, \d*\(%r", "load32"),  # GCC 16 tests a flag in memory
        (r"movq\s+\d*\(%r[^,]+, %r", "load64"),
        (r"movl\s+%e[^,]+, \d*\(%r", "store32"),
        (r"syscall$", "syscall"),
        (r"shrq \$63, %rax", "sign"),
    ),
}

#: For each function, what must be found in its events.
ORDERS = {
    "aarch64": {
        "flush_sq": r"release load64 acquire$",  # the tail; then where the kernel is
        "sq_ready": r"acquire$",
        "get_sqe": r"load64 acquire ",
        "cq_ready": r"^load64 acquire load64 load32$",  # the tail, our own head
        "cq_advance": r"^load64 load32 release$",
        "for_each_cqe": r"acquire .*load64 .*load64 release$",  # the tail, the CQEs, the head: all CQEs were read
        "buf_ring_init": r"^release$",
        "buf_ring_advance": r"^load32 release$",
        "put": r"store store store store release$",  # the entry's three fields, our own tail, the shared one
        "give_back": r"acquire .*store store store release$",  # what the kernel took; the entry, our own tail, the shared one
        "syscall6": r"^syscall$",
        "close_fails": r"^syscall sign$",
    },
    "x86_64": {"close_fails": r"syscall sign$"},
}
#: Functions that publish the SQ tail and then ask whether the SQPOLL thread sleeps. The question may be anywhere in the text, and in
#: a function that they call, so each way through them is followed.
SUBMITS = ("flush_and_ask", "submit", "submit_and_wait_timeout")
#: The store of the tail.
PUBLISHES = {"aarch64": "release", "x86_64": "store32"}
#: Where control goes: unconditionally, perhaps, into a function and back, nowhere.
JUMP = re.compile(r"(?:jmp|b)\s+([.\w]+)$")
BRANCH = re.compile(r"(?:j\w+|b\.?\w\w|cbn?z|tbn?z)\s+(?:.*, )?([.\w]+)$")
CALL = re.compile(r"(?:call|bl)\s+(\w+)$")
ENDS = re.compile(r"(?:ret|ud2|brk)\b")

#: How often an order must be found, where it must not be found more often.
COUNTS = {"aarch64": {"flush_sq": {"acquire": 1, "release": 1}, "put": {"release": 1}}}

#: Which of the caller's registers must be in each of the kernel's: the number in x8 or rax, each argument one to the left. On
#: x86_64 the last argument comes on the stack.
WANTED = {
    "aarch64": dict(zip(("x8", "x0", "x1", "x2", "x3", "x4", "x5"), ("x0", "x1", "x2", "x3", "x4", "x5", "x6"))),
    "x86_64": dict(zip(("%rax", "%rdi", "%rsi", "%rdx", "%r10", "%r8", "%r9"),
                    ("%rdi", "%rsi", "%rdx", "%rcx", "%r8", "%r9", "8(%rsp)"))),
}  # fmt: skip


#: The flags of a ring's mapping, shared and populated: a kernel may populate it without being asked, so running it proves nothing.
MAP_FLAGS = {"aarch64": "mov x3, 32769", "x86_64": "movl $32769, %r10d"}

#: What this script ends with: every order is there, one is missing, or the code could not be inspected.
OK, MISSING, UNSEEN = 0, 1, 2


def functions(compiler: str, include: Path) -> dict[str, list[str]]:
    """The instructions of each function."""
    command = [compiler, *OPTIONS, "-I", str(include), str(SOURCE)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        print(f"{compiler} is not installed; ci/install installs it.", file=sys.stderr)
        sys.exit(UNSEEN)
    if made.returncode != 0:
        print(f"{' '.join(command)}\n{made.stderr}", file=sys.stderr)
        sys.exit(UNSEEN)
    found: dict[str, list[str]] = {}
    name = ""
    for line in made.stdout.splitlines():
        if label := re.match(r"([A-Za-z_]\w*):", line):
            name = label[1]
            found[name] = []
        elif name and (re.match(r"\.L\w+:", line) or re.match(r"\t[^./#]", line)):
            found[name].append(" ".join(line.split()))
    return found


def events(architecture: str, instructions: list[str]) -> str:
    """What the instructions do to memory, in words."""
    words = (
        next((word for pattern, word in EVENTS[architecture] if re.match(pattern, one)), "")
        for one in instructions
    )
    return " ".join(filter(None, words))


def ways(
    found: dict[str, list[str]], name: str, at: int = 0, seen: frozenset[int] = frozenset()
) -> list[list[str]]:
    """Every way through a function from this instruction on, with those through the functions that it calls."""
    body = found[name]
    way: list[str] = []
    while at < len(body) and at not in seen:
        seen |= {at}
        one = body[at]
        way.append(one)
        at += 1
        if ENDS.match(one):
            break
        if (jump := JUMP.match(one)) and jump[1] in found:  # a call at the end of the function
            return [way + rest for rest in ways(found, jump[1])]
        if (call := CALL.match(one)) and call[1] in found:
            after = ways(found, name, at, seen)
            return [way + inside + rest for inside in ways(found, call[1]) for rest in after]
        if jump and f"{jump[1]}:" in body:
            at = body.index(f"{jump[1]}:")
        elif (branch := BRANCH.match(one)) and f"{branch[1]}:" in body:
            return [
                way + rest
                for start in (at, body.index(f"{branch[1]}:"))
                for rest in ways(found, name, start, seen)
            ]
    return [way]


def submit_problems(architecture: str, compiler: str, found: dict[str, list[str]]) -> list[str]:
    """Where a sleeping SQPOLL thread may be missed: NEED_WAKEUP is looked at before the tail is published, or without a fence."""
    publishes = PUBLISHES[architecture]
    wrong = []
    for name in SUBMITS:
        each = {events(architecture, way) for way in ways(found, name)}
        if early := sorted(one for one in each if re.search(rf"fence .*{publishes}", one)):
            wrong.append(f"{compiler}: {name} may publish the tail after the fence, as in\n  {early[0]}")
        if not any(re.search(rf"{publishes} .*fence load64 load32", one) for one in each):
            wrong.append(
                f"{compiler}: {name} never does {publishes} (the tail), fence, load64 load32 (NEED_WAKEUP). It does\n  "
                + "\n  ".join(sorted(each))
            )
    return wrong


def registers(instructions: list[str]) -> dict[str, str]:
    """What each register holds after all moves: the register or address that it was in at first."""
    held: dict[str, str] = {}
    for one in instructions:
        if move := re.fullmatch(r"mov (\w+), (\w+)|movq (\S+), (\S+)", one):
            target, source = (move[1], move[2]) if move[1] else (move[4], move[3])
            held[target] = held.get(source, source)
    return held


def problems(architecture: str, compiler: str, include: Path) -> list[str]:
    """Every order that is missing."""
    found = functions(compiler, include)
    wrong = []
    for name, wanted in ORDERS[architecture].items():
        got = events(architecture, found[name])
        counts = COUNTS.get(architecture, {}).get(name, {})
        if not re.search(wanted, got) or any(
            got.split().count(word) != count for word, count in counts.items()
        ):
            wrong.append(
                f"{compiler}: {name} does\n  {got}\nwant something like\n  {wanted}  {counts or ''}\n"
                f"in:\n  {'; '.join(found[name])}"
            )
    wrong += submit_problems(architecture, compiler, found)
    got = registers(found["syscall6"])
    if any(got.get(register) != value for register, value in WANTED[architecture].items()):
        wrong.append(
            f"{compiler}: syscall6 calls with\n  {got}\nwant\n  {WANTED[architecture]}\nin:\n  {'; '.join(found['syscall6'])}"
        )
    if MAP_FLAGS[architecture] not in found["map_ring"]:
        wrong.append(
            f"{compiler}: map_ring wants {MAP_FLAGS[architecture]}, in:\n  {'; '.join(found['map_ring'])}"
        )
    return wrong


def main() -> int:
    """Look at the code of each compiler."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--include", type=Path, required=True, help="the directory with uring/uring.h")
    parser.add_argument(
        "--compiler", metavar="ARCHITECTURE=COMMAND", action="append", help="only this one", default=[]
    )
    options = parser.parse_args()
    named = {
        architecture: command for architecture, _, command in (one.partition("=") for one in options.compiler)
    }
    if unknown := [architecture for architecture in named if architecture not in EVENTS]:
        parser.error(
            f"--compiler {unknown[0]}: expected one of {', '.join(EVENTS)}, then = and a compiler for it"
        )
    compilers = named or COMPILERS
    found = [problem for one in compilers.items() for problem in problems(*one, options.include)]
    print("\n".join(found) or "every order is there")
    return MISSING if found else OK


if __name__ == "__main__":
    sys.exit(main())
