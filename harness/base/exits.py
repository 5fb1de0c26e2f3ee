"""The exit codes of every command."""

from __future__ import annotations

OK = 0  # everything is as expected
SURPRISES = 1  # there is a finding: a cell is not as it should be, two runs differ, a goal is not met
TROUBLE = 2  # something on our side failed, so nothing is said about any kernel or binding
INTERRUPTED = 130  # by Ctrl-C, as a shell reports it
