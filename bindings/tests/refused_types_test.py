# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Types that a Result cannot carry in one word must not compile, and the compiler must say why. Nor must calls with words in the
wrong order, where one of two words of flags is the kernel's for io_uring and the other is not.

    refused_types_test.py --include DIR [--compiler COMMAND]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

#: Too wide; not an integer; not an integer either, but of the right size; a struct.
REFUSED = ("unsigned long", "double", "float", "uring::Timespec")
#: The same program with these does compile, or the others would be refused for another reason.
ACCEPTED = ("unsigned", "int", "void", "int&", "int*")

#: Calls, and the two arguments that must not be swapped.
CALLS = (
    ("uring::prep_send_zc(sqe, 1, 2, {{}}, {}, {})", "0x4000", "uring::RecvSend::report_usage"),
    ("uring::prep_send_zc_fixed(sqe, 1, 2, {{}}, 0, {}, {})", "uring::RecvSend::poll_first", "1"),
    ("uring::prep_poll_update(sqe, 1, 2, 3, {}, {})", "4", "uring::PollFlags::update_events"),
)


def compiler_says(compiler: str, include: Path, program: str) -> str:
    """The errors of this program."""
    command = [compiler, "-std=c++20", "-fsyntax-only", "-I", str(include), "-x", "c++", "-"]
    text = f"#include <uring/uring.h>\n{program}\n"
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stderr


def swapped(says: Callable[[str], str]) -> Iterator[str]:
    """What is wrong with the calls."""
    for call, first, second in CALLS:
        program = "void f(uring::Sqe& sqe) {{ {}; }}"
        if said := says(program.format(call.format(first, second))):
            yield f"{call} does not compile with {first}, {second}:\n{said}"
        if not re.search(
            "cannot (convert|initialize)|no known conversion",
            said := says(program.format(call.format(second, first))),
        ):
            yield f"{call} should not compile with {second}, {first}; the compiler says:\n{said or 'nothing'}"


def main() -> int:
    """Try every type."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--include", type=Path, required=True, help="the directory with uring/uring.h")
    parser.add_argument("--compiler", default="g++", help="the compiler, g++ if not named")
    options = parser.parse_args()

    def says(type_name: str) -> str:
        return compiler_says(
            options.compiler, options.include, f"uring::Result<{type_name}> result(uring::Error::inval);"
        )

    problems = [f"Result<{one}> does not compile:\n{said}" for one in ACCEPTED if (said := says(one))]
    problems += [
        f"Result<{one}> should be refused by a static_assert; the compiler says:\n{said or 'nothing'}"
        for one in REFUSED
        if not re.search("static assertion failed|static_assert failed", said := says(one))
    ]
    problems += swapped(lambda program: compiler_says(options.compiler, options.include, program))
    print("\n".join(problems) or "what cannot be carried is refused, and so are swapped words")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
