"""The part of a program that a guest gets."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.base import elf, process
from harness.base.elf import needs, stripped


def compiled(program: Path, *options: str) -> Path:
    source = program.with_suffix(".c")
    source.write_text('#include <stdio.h>\nint main(void) { puts("it runs"); return 7; }\n')
    subprocess.run(["gcc", "-g", *options, "-o", program, source], check=True)
    return program


def test_a_program_loses_its_debug_information_and_still_runs(tmp_path: Path) -> None:
    program, part = compiled(tmp_path / "program", "-static"), tmp_path / "part"
    part.write_bytes(stripped(program))
    part.chmod(0o755)
    done = subprocess.run([part], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "it runs\n")
    assert b".debug_info" in program.read_bytes() and b".debug_info" not in part.read_bytes()


def test_a_program_is_stripped_once_and_again_when_it_was_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, runs = compiled(tmp_path / "program", "-static"), []

    def counted(command: list[str | Path], **how: Any) -> process.Done:
        runs.append(command)
        return process.run(command, **how)

    monkeypatch.setattr(elf, "run", counted)
    first = stripped(program)
    assert stripped(program) == first and len(runs) == 1
    compiled(program, "-static", "-O2", "-Wl,--build-id=0x01")
    assert stripped(program) != first and len(runs) == 2


def test_anything_else_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for data in (b"", b"#!/bin/sh\n", b"\x7fELF\x02", b"\x7fELF\x01" + bytes(100), b"#!" + bytes(1 << 20)):
        file.write_bytes(data)
        assert stripped(file) == data


def test_what_a_program_needs_is_told(tmp_path: Path) -> None:
    assert needs(compiled(tmp_path / "static", "-static")) is None
    assert needs(compiled(tmp_path / "shared")) == "it is linked to shared libraries"
    text = tmp_path / "text"
    text.write_text("ELF64 X86-64")
    assert needs(text) == "it is not an x86-64 executable"
