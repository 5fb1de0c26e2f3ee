# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The ring's methods for operations say the same as the functions that prepare them, so that an editor shows it for both. (That
nothing is without a comment is Doxygen's to say: bindings/docs.)"""

import argparse
import pathlib
import re
import sys

DECLARATION = r"(?P<comment>(?:^ *///.*\n)+)(?:^ *template <.*>\n)?^ *"


def comments(text: str, declaration: str) -> dict[str, str]:
    """The words of the comment before each declaration, by name; of overloads, those of the first."""
    found: dict[str, str] = {}
    for match in re.finditer(DECLARATION + declaration, text, re.MULTILINE):
        words = " ".join(line.strip().removeprefix("///").strip() for line in match["comment"].splitlines())
        found.setdefault(match["name"], words)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--include", type=pathlib.Path, required=True)
    headers = parser.parse_args().include / "uring"
    prepared = {}
    for header in ("control", "file", "socket", "command"):
        text = (headers / f"prep_{header}.h").read_text()
        prepared |= comments(text, r"inline Sqe(?:128)?& prep_(?P<name>\w+)\(")
    methods = comments((headers / "operations.h").read_text(), r"Queued(?:128)? (?P<name>\w+)\(")
    problems = [
        f"{name}:\n  prep_{name} says: {words}\n  the method says: {methods.get(name, 'nothing')}"
        for name, words in prepared.items()
        if methods.get(name) != words
    ]
    problems += [f"{name}: there is no prep_{name}" for name in methods.keys() - prepared.keys()]
    if len(prepared) < 90:
        problems.append(
            f"only {len(prepared)} prepare functions found: the pattern no longer matches the headers"
        )
    if problems:
        sys.exit(
            "The comments in operations.h are not those of the prepare functions; copy them:\n"
            + "\n".join(problems)
        )
    print(f"{len(prepared)} comments are the same")


if __name__ == "__main__":
    main()
