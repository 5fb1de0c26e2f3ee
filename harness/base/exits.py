"""The exit codes of every command."""

from __future__ import annotations

OK = 0  # everything is as expected
SURPRISES = 1  # there is a finding: a cell is not as expected, two runs differ, a goal is missed
TROUBLE = 2  # something on our side failed, so the run says nothing about any kernel or binding
INTERRUPTED = 130  # by Ctrl-C, as a shell reports it
