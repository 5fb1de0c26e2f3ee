# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Building a kernel from its source tree: here a Makefile of a few lines, which plays Kconfig and the compiler."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.kernels import tree
from harness.kernels.obtain import obtain
from harness.matrix.column import Setup, rerun_command
from harness.suite.binding import DEFAULT
from harness.tests.kernels.test_spec import bzimage, vmlinux

# Like a kernel's Makefile, as far as the harness can tell: allnoconfig takes the options of KCONFIG_ALLCONFIG except those
# named in "unknown", bzImage copies an image if the configuration or a source changed, kernelrelease answers.
MAKEFILE = """\
VERSION = 6
PATCHLEVEL = 18
SUBLEVEL = 0
EXTRAVERSION = -rc3

allnoconfig:
\t@echo configuring $(ARCH) in $(O)
\t@grep -vxFf $(CURDIR)/unknown $(KCONFIG_ALLCONFIG) | grep -v '=n$$' > $(O)/.config.new
\t@cmp -s $(O)/.config.new $(O)/.config || cp $(O)/.config.new $(O)/.config

bzImage: $(O)/arch/x86/boot/bzImage
$(O)/arch/x86/boot/bzImage: $(O)/.config $(CURDIR)/source
\t@echo compiling
\t@sh $(CURDIR)/source
\t@mkdir -p $(O)/arch/x86/boot
\t@cp $(CURDIR)/image $@

kernelrelease:
\t@echo $$(cat $(CURDIR)/release)
"""
RELEASE = "6.18.0-rc3-mine"


@pytest.fixture(autouse=True)
def only_make(monkeypatch):
    """The trees here need no compiler."""
    monkeypatch.setattr(tree, "PROGRAMS", {"make": "make"})
    monkeypatch.setattr(tree, "HEADERS", {})


@pytest.fixture
def linux(tmp_path):
    """A kernel's source tree."""
    root = tmp_path / "linux"
    root.mkdir()
    (root / "Makefile").write_text(MAKEFILE)
    (root / "unknown").write_text("CONFIG_NEVER_HEARD_OF=y\n")
    (root / "release").write_text(f"{RELEASE}\n")
    (root / "source").write_text("true\n")
    (root / "image").write_bytes(bzimage(release=RELEASE))
    return root


@pytest.fixture
def said():
    """The progress messages for the person who waits."""
    return []


@pytest.fixture
def build(linux, tmp_path, said):
    """Build the tree into one cache."""

    def build(*fragments: Path) -> tree.Built:
        return tree.build(linux, fragments, cache=Cache(tmp_path / "cache"), progress=said.append)

    return build


@pytest.fixture
def config(tmp_path):
    """Write a configuration of that name."""

    def write(text: str, name: str = "mine") -> Path:
        path = tmp_path / f"{name}.config"
        path.write_text(text)
        return path

    return write


def logs(tmp_path: Path) -> list[str]:
    """The output of make, one log for each build directory."""
    return [path.read_text() for path in sorted((tmp_path / "cache/builds").glob("*/build.log"))]


def test_a_tree_becomes_a_kernel(linux, tmp_path, said):
    kernel = obtain(
        str(linux), cache=Cache(tmp_path / "cache"), archive=None, notice=pytest.fail, progress=said.append
    )
    assert (kernel.name, kernel.release, kernel.source) == ("6.18.0-rc3-tree", RELEASE, f"tree {linux}")
    assert kernel.image.read_bytes() == (linux / "image").read_bytes()
    assert kernel.boot_image.read_bytes() == vmlinux()
    assert sorted(path.name for path in linux.iterdir()) == [
        "Makefile",
        "image",
        "release",
        "source",
        "unknown",
    ]
    (log,) = logs(tmp_path)
    assert log.startswith("configuring x86_64 in ")


def test_an_unchanged_tree_is_not_compiled_again(build, linux, tmp_path):
    first = build()
    assert "compiling" in logs(tmp_path)[0]
    assert build() == first
    assert "compiling" not in logs(tmp_path)[0]
    os.utime(linux / "source", (time.time() + 5, time.time() + 5))
    (linux / "image").write_bytes(bzimage(release=RELEASE) + b"changed")
    assert build() != first
    assert "compiling" in logs(tmp_path)[0]


def test_the_release_in_the_image_must_be_what_make_says(linux, tmp_path, said):
    (linux / "release").write_text("6.18.0-rc3-other\n")
    told = f"make kernelrelease in {linux} promises 6.18.0-rc3-other, but its image says {RELEASE}"
    with pytest.raises(HarnessError, match=told):
        obtain(str(linux), cache=Cache(tmp_path / "cache"), archive=None, notice=said.append)


@pytest.mark.parametrize("answer", ["", "two words\n"])
def test_a_release_that_is_no_word_is_trouble(answer, build, linux):
    (linux / "release").write_text(answer)
    with pytest.raises(
        HarnessError, match="make kernelrelease in .* does not answer with one word; it said: "
    ):
        build()


# --- the configuration -----------------------------------------------------------------------------------------


def test_fragments_are_added_up_and_the_later_one_wins(config):
    one = config('# why\n\nCONFIG_A=y\nCONFIG_B=y\nCONFIG_NAME="a b"\n', "one")
    other = config("# CONFIG_B is not set\nCONFIG_C=12\n", "other")
    assert tree.options((one, other)) == {
        "CONFIG_A": "y",
        "CONFIG_B": "n",
        "CONFIG_NAME": '"a b"',
        "CONFIG_C": "12",
    }


def test_what_the_tree_dropped_is_found():
    wanted = {
        "CONFIG_A": "y",
        "CONFIG_B": "y",
        "CONFIG_C": "n",
        "CONFIG_D": "n",
        "CONFIG_E": "12",
        "CONFIG_F": "y",
    }
    configuration = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_D=y\nCONFIG_E=13\nCONFIG_F=m\n"
    assert tree.dropped(wanted, configuration) == {
        "CONFIG_B": "n",
        "CONFIG_D": "y",
        "CONFIG_E": "13",
        "CONFIG_F": "m",
    }


def test_options_that_the_tree_drops_are_named(build, config):
    with pytest.raises(
        HarnessError, match="linux does not take CONFIG_NEVER_HEARD_OF=y .it is n.: it has no such option, or"
    ):
        build(config("CONFIG_MORE=y\nCONFIG_NEVER_HEARD_OF=y\n"))
    build(config("CONFIG_MORE=y\n"))


def test_each_configuration_has_a_build_directory_of_its_own(build, config, tmp_path):
    build()
    build(config("CONFIG_MORE=y\n"))
    build()
    assert len(logs(tmp_path)) == 2
    configurations = [path.read_text() for path in (tmp_path / "cache/builds").glob("*/.config")]
    assert sorted("CONFIG_MORE=y" in text for text in configurations) == [False, True]


@pytest.mark.parametrize("line", ["CONFIG_A", "CONFIG_A is not set", "A=y", "CONFIG_A y"])
def test_a_line_that_is_no_option_is_trouble(line, config):
    with pytest.raises(
        HarnessError,
        match=rf"mine.config:2: {re.escape(repr(line))} is not an option. Write CONFIG_NAME=value",
    ):
        tree.options((config(f"CONFIG_B=y\n{line}\n"),))


def test_the_configurations_that_ship_can_be_read_and_are_found_by_name(config):
    assert tree.options((tree.GUEST,))["CONFIG_IO_URING"] == "y"
    kasan = tree.options((tree.GUEST, tree.fragment("kasan")))
    assert (kasan["CONFIG_KASAN"], kasan["CONFIG_PVH"]) == ("y", "n")
    assert tree.options((tree.fragment("lockdep"),))["CONFIG_PROVE_LOCKING"] == "y"
    path = config("")
    assert tree.fragment(str(path)) == path
    with pytest.raises(
        HarnessError, match="There is no configuration 'kason': name a file, or one of kasan, lockdep"
    ):
        tree.fragment("kason")


def test_a_cell_of_a_tree_is_run_again_with_its_configurations():
    setup = Setup(build=Path("build"), artefacts=Path("results"), kernel_configs=("kasan", "my.config"))
    words = "ci/matrix --kernel linux --test nop --kernel-config kasan --kernel-config my.config"
    assert rerun_command("linux", "nop", DEFAULT[0], setup) == words


# --- what goes wrong -------------------------------------------------------------------------------------------


def test_a_build_that_fails_shows_its_errors_and_names_the_log(build, linux, tmp_path):
    (linux / "source").write_text("echo fine; echo 'fs/x.c:3: error: no semicolon' >&2; exit 1\n")
    with pytest.raises(
        HarnessError,
        match=r"linux cannot be built: fs/x.c:3: error: no semicolon / make: .*in (\S+/build.log)",
    ) as told:
        build()
    log = Path(re.search(r"in (\S+)\.$", str(told.value))[1])
    assert "fine" in log.read_text() and log.is_relative_to(tmp_path / "cache")
    (linux / "source").write_text("true\n")
    build()
    assert "no semicolon" in log.with_suffix(".log.old").read_text()  # trying again does not lose it


@pytest.mark.parametrize("makefile", ["all:\n\ttrue\n", "VERSION = 6\n", "VERSION =\nPATCHLEVEL =\n"])
def test_a_directory_with_another_makefile_is_no_tree(makefile, tmp_path):
    (tmp_path / "Makefile").write_text(makefile)
    assert tree.version_of(tmp_path) is None


def test_missing_tools_are_named_as_packages(build, monkeypatch):
    monkeypatch.setattr(tree, "PROGRAMS", {"make": "make", "no-such-flex": "flex", "no-such-bc": "bc"})
    with pytest.raises(
        HarnessError, match=r"Packages for building a kernel are missing: apt install flex bc \(as root"
    ):
        build()
    monkeypatch.setattr(tree, "PROGRAMS", {})
    monkeypatch.setattr(tree, "HEADERS", {"stdio.h": "libc6-dev", "no/such.h": "libno-dev"})
    with pytest.raises(HarnessError, match=r"apt install libno-dev \(as root\)"):
        build()


def test_a_long_build_says_how_far_it_is(build, linux, said, monkeypatch):
    monkeypatch.setattr(tree, "SAY_EVERY_S", 0.05)
    (linux / "source").write_text("echo one; echo two; sleep 0.5\n")
    build()
    assert re.fullmatch(r"Building \S+/linux: [1-9]\d* steps in 0.0 minutes\.", said[-1])


def test_an_interrupted_build_leaves_no_compiler_behind(linux, tmp_path):
    (linux / "source").write_text(
        f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; sleep 600\n"
    )
    program = (
        "import sys; from pathlib import Path; from harness.kernels import tree; from harness.base.cache import Cache\n"
        "tree.PROGRAMS = {}; tree.HEADERS = {}\n"
        "tree.build(Path(sys.argv[1]), (), cache=Cache(Path(sys.argv[2])), progress=print)\n"
    )
    command = [sys.executable, "-c", program, str(linux), str(tmp_path / "cache")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as harness:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        compiler = int((tmp_path / "pid").read_text())
        harness.send_signal(signal.SIGINT)
        harness.wait(60)
    while Path(f"/proc/{compiler}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{compiler}").exists()
