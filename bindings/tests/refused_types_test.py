# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Types that a Result cannot carry in one word must not compile, and the compiler must say why.

    refused_types_test.py --include DIR [--compiler COMMAND]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

#: Too wide; not an integer; not an integer either, but of the right size; a struct.
REFUSED = ("unsigned long", "double", "float", "uring::Timespec")
#: The same program with these does compile, or the others would be refused for another reason.
ACCEPTED = ("unsigned", "int", "void", "int&", "int*")


def compiler_says(compiler: str, include: Path, type_name: str) -> str:
    """The errors of a program that has a Result of this type."""
    command = [compiler, "-std=c++20", "-fsyntax-only", "-I", str(include), "-x", "c++", "-"]
    program = f"#include <uring/abi.h>\n#include <uring/result.h>\nuring::Result<{type_name}> result(uring::Error::inval);\n"
    return subprocess.run(command, input=program, capture_output=True, text=True, check=False).stderr


def main() -> int:
    """Try every type."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--include", type=Path, required=True, help="the directory with uring/uring.h")
    parser.add_argument("--compiler", default="g++", help="the compiler, g++ if not named")
    options = parser.parse_args()

    def says(type_name: str) -> str:
        return compiler_says(options.compiler, options.include, type_name)

    problems = [f"Result<{one}> does not compile:\n{said}" for one in ACCEPTED if (said := says(one))]
    problems += [
        f"Result<{one}> should be refused by a static_assert; the compiler says:\n{said or 'nothing'}"
        for one in REFUSED
        if not re.search("static assertion failed|static_assert failed", said := says(one))
    ]
    print("\n".join(problems) or "what cannot be carried is refused")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
