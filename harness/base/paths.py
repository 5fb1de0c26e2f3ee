"""Paths: the top of the repository, and what is found relative to it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
README = ROOT / "README.md"
REPORTS = ROOT / "reports"  # what was published last
RESULTS = "results.ndjson"  # the file with all evidence of a run, in the run's folder
