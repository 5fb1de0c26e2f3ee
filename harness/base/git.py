"""What the commands need from git: a file of a revision, whether the tree is clean, a commit of some paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness.base.errors import HarnessError
from harness.base.process import Done, run


class Git:
    """The repository in one directory."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def commit_of(self, revision: str) -> str | None:
        """The full hash of the commit that a revision names; None if it names none."""
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return done.output.strip() if done.code == 0 else None

    def origin(self) -> str | None:
        """The address that this was cloned from, if any, without the credentials in it."""
        done = self._run("remote", "get-url", "origin")
        return re.sub("//[^@/]*@", "//", done.output.strip()) if done.code == 0 else None

    def file(self, revision: str, path: str) -> bytes | None:
        """The contents of a file in a revision; None if the revision does not have it."""
        done = self._run("cat-file", "blob", f"{revision}:{path}")
        return done.raw if done.code == 0 else None

    def changes(self) -> list[str]:
        """The paths that differ from the commit, including files that git does not track."""
        lines = self._demand("status", "--porcelain", "--untracked-files=all").splitlines()
        return [line[3:] for line in lines]

    def demand_identity(self) -> None:
        """HarnessError if a commit would have no author."""
        self._demand("var", "GIT_AUTHOR_IDENT")
        self._demand("var", "GIT_COMMITTER_IDENT")

    def commit(self, paths: Sequence[str], message: str) -> None:
        """Commit these paths as they are now, and nothing else."""
        self._demand("add", "--all", "--", *paths)
        self._demand("commit", "--quiet", "--file=-", "--", *paths, given=message)

    def _demand(self, *words: str, given: str = "") -> str:
        done = self._run(*words, given=given)
        if done.code:  # git's own message says what to do
            raise HarnessError(f"git {words[0]} failed: {done.said}")
        return done.output

    def _run(self, *words: str, given: str = "") -> Done:
        remedy = "Install it (on Debian: apt install git)."
        return run(["git", *words], cwd=self._top, given=given.encode(), remedy=remedy, check=False)
