"""The memory that a guest shares with us: alone, with a fake guest, and with a real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.machines import shared_memory
from harness.machines.machine import PlanEntry
from harness.machines.shared_memory import PAYLOAD_SIZE, RESULTS_SIZE, SharedMemory
from harness.machines.vm import VmMachine
from harness.tests.machines.test_machine import BYE, END, HELLO, START, records
from harness.tests.machines.test_vm import program, run

__all__ = ["program"]  # a fixture

FIND_RESULTS = "for a; do case $a in *id=results*) results=${a##*mem-path=};; esac; done"


def test_lines_are_read_once_and_in_their_order() -> None:
    with SharedMemory(b"payload") as memory:
        payload, results = memory.descriptors
        assert os.pread(payload, 8, 0) == b"payload\0"
        assert (os.fstat(payload).st_size, os.fstat(results).st_size) == (PAYLOAD_SIZE, RESULTS_SIZE)
        os.pwrite(results, b"one\ntwo\nhal", 0)
        assert [memory.next_line() for _ in range(2)] == [b"one\n", b"two\n"]
        assert [memory.next_line() for _ in range(2)] == [b"\n", b"\n"], "half a line was announced by nobody"
        os.pwrite(results, b"f\n", 11)
        assert memory.next_line() == b"half\n"
    with pytest.raises(OSError):
        os.fstat(results)


def test_a_payload_has_a_limit() -> None:
    with pytest.raises(HarnessError, match=f"the limit is {PAYLOAD_SIZE}"):
        SharedMemory(bytes(PAYLOAD_SIZE + 1))


def test_an_empty_line_stands_for_the_next_one_in_memory(tmp_path: Path) -> None:
    announced = f"({HELLO}; {START}; {END}) > $results; echo; echo; echo"
    events = run(tmp_path, f"{FIND_RESULTS}; {announced}; {BYE}")
    assert [event["kind"] for event in events] == ["hello", "start", "end", "bye"]


def test_an_empty_line_without_one_in_memory_is_garbage(tmp_path: Path) -> None:
    events = run(tmp_path, f"{HELLO}; echo; {START}; {END}; {BYE}")
    assert [event["kind"] for event in events] == ["hello", "garbage", "start", "end", "bye"]
    assert events[1]["line"] == ""


@pytest.mark.parametrize("room", [RESULTS_SIZE, 4096])
def test_a_real_guest_that_says_more_than_there_is_room_for(
    vm_kernel: Path, runner: Path, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(shared_memory, "RESULTS_SIZE", room)

    class Watched(SharedMemory):
        taken = 0

        def next_line(self) -> bytes:
            Watched.taken += 1
            return super().next_line()

    monkeypatch.setattr("harness.machines.vm.SharedMemory", Watched)
    words = [f"{number} {'x' * 90}" for number in range(50)]
    plan = [PlanEntry(name=f"e{number}", timeout_s=20, argv=("/bin/test", word)) for number, word in enumerate(words)]
    machine = VmMachine(kernel=vm_kernel, runner=runner, files={"bin/test": program})
    events = list(machine.run(plan, tmp_path / "artefacts"))
    assert records(events) == [f"{word} 2" for word in words]
    assert [event["kind"] for event in events if event["kind"] in ("garbage", "trouble", "died")] == []
    said = len(events) - 1  # "ready" comes before there is a payload, so before there is memory
    assert Watched.taken == said if room == RESULTS_SIZE else 0 < Watched.taken < said
