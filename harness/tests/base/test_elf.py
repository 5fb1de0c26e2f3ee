"""What a guest gets of a program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from harness.base.elf import loaded_part


def test_a_program_loses_its_debug_information_and_still_runs(tmp_path: Path) -> None:
    source, program, part = tmp_path / "p.c", tmp_path / "program", tmp_path / "part"
    source.write_text('#include <stdio.h>\nint main(void) { puts("it runs"); return 7; }\n')
    subprocess.run([shutil.which("cc") or "gcc", "-g", "-static", "-o", program, source], check=True)
    part.write_bytes(loaded_part(program))
    part.chmod(0o755)
    done = subprocess.run([part], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "it runs\n")
    assert b".debug_info" in program.read_bytes() and b".debug_info" not in part.read_bytes()
    sections = subprocess.run(["readelf", "--wide", "--sections", part], capture_output=True, text=True, check=True)
    assert "no sections" in sections.stdout


def test_anything_else_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for data in (b"", b"#!/bin/sh\n", b"\x7fELF\x02", b"\x7fELF\x01" + bytes(100), b"#!" + bytes(1 << 20)):
        file.write_bytes(data)
        assert loaded_part(file) == data
