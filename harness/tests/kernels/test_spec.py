# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a kernel specification means, and what is in an image. The images are made here, byte by byte."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.kernels import image as image_module
from harness.kernels.archive import Package, Pin, Resolved
from harness.kernels.image import has_pvh_note, release_in, uncompressed
from harness.kernels.obtain import obtain
from harness.kernels.settings import SETTINGS, Settings, load_settings
from harness.kernels.spec import Kind, columns_for, kind, specify

RELEASE = "6.1.0-56-cloud-amd64"


def vmlinux(*, note: bool = True, text: bytes = b"") -> bytes:
    """A 64-bit ELF file with one note segment, as far as a boot loader looks."""
    other = struct.pack("<III", 4, 3, 3) + b"GNU\0" + b"abc\0"  # a note before ours, padded to 4
    pvh = struct.pack("<III", 4, 8, 18 if note else 17) + b"Xen\0" + bytes(8)
    notes = other + pvh
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 4, 0, 120, 0, 0, len(notes), len(notes), 4)
    return header + segment + notes + text


def lz4(data: bytes) -> bytes:
    return subprocess.run(["lz4", "-l", "-c"], input=data, capture_output=True, check=True).stdout


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstd,
    "lz4": lz4,
}


def bzimage(
    inner: bytes = vmlinux(), packer: str = "gzip", release: str = RELEASE, payload: bytes = b""
) -> bytes:
    """A bzImage with two setup sectors whose payload is `inner`, packed as the kernel's build does it."""
    if not payload:
        size = b"" if packer == "gzip" else struct.pack("<I", len(inner))
        payload = PACKERS[packer](inner) + size
    body = bytes(32) + payload
    body += bytes(-len(body) % 16)
    setup = bytearray(3 * 512)
    setup[0x1F1] = 2
    struct.pack_into("<I", setup, 0x1F4, len(body) // 16)
    setup[0x1FE:0x206] = b"\x55\xaa\xeb\x66HdrS"
    struct.pack_into("<H", setup, 0x20E, 0x200)
    setup[0x211] = 1
    struct.pack_into("<II", setup, 0x248, 32, len(payload))
    text = f"{release} (somebody@somewhere) #1 SMP\0".encode() if release else b"\0"
    setup[0x400 : 0x400 + len(text)] = text
    return bytes(setup) + body


class FakeArchive:
    """An archive that has one kernel, series 6.1."""

    def __init__(self, image: Path, release: str = RELEASE) -> None:
        self._package = Package(
            series="6.1",
            name=f"linux-image-{release}",
            version="6.1.192-2",
            release=release,
            suite="bookworm-security",
        )
        self._image = image

    def resolve(self, series: str) -> Resolved:
        if series != "6.1":
            raise HarnessError(f"{series} is neither a file nor a kernel series of the archive")
        return Resolved(package=self._package, image=self._image, sha256="f" * 64)


@pytest.fixture
def notices():
    """The notices for the person, one sentence each."""
    return []


@pytest.fixture
def get(tmp_path, notices):
    """obtain() with a fresh cache and an archive that has 6.1."""
    (tmp_path / "archived").write_bytes(bzimage())

    def get(spec, release=RELEASE):
        archive = FakeArchive(tmp_path / "archived", release)
        return obtain(str(spec), cache=Cache(tmp_path / "cache"), archive=archive, notice=notices.append)

    return get


@pytest.fixture
def image(tmp_path):
    """Write bytes to a file of that name."""

    def write(data: bytes, name: str = "bzImage") -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def test_a_specification_is_a_series_a_file_or_the_host(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("bzImage", "6.1", "host", "a.deb"):
        (tmp_path / name).touch()
    (tmp_path / "linux").mkdir()
    specs = ["host", "6.1", "7.12", "./6.1", "./host", "bzImage", "no/such/file", "/boot/vmlinuz", "misspelt"]
    assert [
        kind(spec) for spec in ("a.deb", "/no/such.deb", "linux", ".", "6.1=6.1.190-1~bpo12+1", "archive")
    ] == [
        Kind.DEB,
        Kind.DEB,
        Kind.TREE,
        Kind.TREE,
        Kind.SERIES,
        Kind.SERIES,
    ]
    assert [kind(spec) for spec in specs] == [
        Kind.HOST,
        Kind.SERIES,
        Kind.SERIES,
        Kind.FILE,
        Kind.FILE,
        Kind.FILE,
        Kind.FILE,
        Kind.FILE,
        Kind.SERIES,
    ]


def test_a_series_comes_from_the_archive(get, tmp_path):
    kernel = get("6.1")
    assert (kernel.name, kernel.release, kernel.version) == ("6.1", RELEASE, "6.1.192-2")
    assert kernel.source == f"bookworm-security linux-image-{RELEASE} 6.1.192-2"
    assert kernel.image == tmp_path / "archived"
    assert kernel.boot_image.read_bytes() == vmlinux()
    assert kernel.sha256 == "f" * 64


def test_an_image_that_is_not_what_its_package_promises_is_trouble(get):
    with pytest.raises(HarnessError, match=f"promises 6.1.0-57-cloud-amd64, but its image says {RELEASE}"):
        get("6.1", release="6.1.0-57-cloud-amd64")


def test_a_word_that_is_no_file_is_answered_by_the_archive(get):
    with pytest.raises(HarnessError, match="misspelt is neither a file nor a kernel series"):
        get("misspelt")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("bzImage", "bzImage"),
        ("mine.bzImage", "mine.bzImage"),
        ("vmlinuz-6.1.0-56-cloud-amd64", "vmlinuz-6.1.0-56-cloud-amd64"),
        ("linux-6.1", "linux-6.1"),
    ],
)
def test_a_file_is_named_after_itself(file, name, get, image):
    path = image(bzimage(), file)
    kernel = get(path)
    assert (kernel.name, kernel.image, kernel.release, kernel.version) == (name, path, RELEASE, None)
    assert kernel.source == f"file {path}"
    assert kernel.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_vmlinux_is_booted_as_it_is(get, image):
    path = image(vmlinux(text=b"Linux version %s (%s)\0Linux version 6.18.5-mine (me@here) \n"), "vmlinux")
    kernel = get(path)
    assert kernel.boot_image == kernel.image == path
    assert get(image(vmlinux(), "silent")).release is None


def test_the_release_may_be_missing(image):
    assert release_in(image(bzimage(release=""))) is None


def changed(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it has neither the header of a bzImage nor that of an ELF vmlinux"),
        (b"#!/bin/sh\necho no kernel\n" * 100, "it has neither the header of a bzImage"),
        (changed(bzimage(), 0x202, b"HdrX"), "it has neither the header of a bzImage"),
        (changed(bzimage(), 0x1FE, b"\0\0"), "it has neither the header of a bzImage"),
        (changed(bzimage(), 0x211, b"\0"), "a zImage"),
        (bzimage()[:-1], "a bzImage that is cut off"),
        (vmlinux(note=False), "an ELF file without the PVH note"),
        (vmlinux()[:100], "an ELF file without the PVH note"),
        (b"\x7fELF", "an ELF file without the PVH note"),
    ],
    ids=["empty", "script", "magic", "boot flag", "zImage", "cut off", "no PVH", "cut ELF", "ELF magic"],
)
def test_what_is_no_kernel_image_is_trouble(data, reason, get, image):
    path = image(data)
    with pytest.raises(HarnessError, match=f"^{path} is not a kernel image: {reason}"):
        get(path)


def test_a_program_of_this_machine_is_no_kernel_image(get):
    with pytest.raises(HarnessError, match="is not a kernel image: an ELF file without the PVH note"):
        get("/bin/true")


def test_a_file_that_cannot_be_read_is_trouble(get, tmp_path):
    with pytest.raises(HarnessError, match="The kernel image .*/no/such cannot be read: No such file"):
        get(tmp_path / "no/such")
    with pytest.raises(HarnessError, match="is not a kernel: a directory must be a kernel's source tree"):
        get(tmp_path)


@pytest.mark.parametrize("packer", PACKERS)
def test_the_vmlinux_is_taken_out_of_any_packing(packer):
    if packer in ("zstd", "lz4") and shutil.which(packer) is None:
        pytest.fail(f"{packer} is not installed, which unpacks kernels for booting: apt-get install {packer}")
    inner = vmlinux(text=os.urandom(100_000) + bytes(100_000))
    assert uncompressed(bzimage(inner, packer)) == inner


def test_the_vmlinux_is_taken_out_once(get, image, monkeypatch):
    path = image(bzimage())
    first = get(path).boot_image
    assert first.read_bytes() == vmlinux()
    monkeypatch.setattr(image_module, "uncompressed", lambda data: pytest.fail("taken out again"))
    assert get(path).boot_image == first


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bzimage(payload=b"\x89LZO\0\r\n\x1a\n" + bytes(50)), "its compression is not known .it starts with"),
        (bzimage(payload=gzip.compress(vmlinux())[:-4] + bytes(4)), "it cannot be unpacked"),
        (bzimage(payload=lzma.compress(vmlinux())[:-20] + bytes(24)), "it cannot be unpacked|it unpacks to"),
        (bzimage(payload=lzma.compress(vmlinux()) + bytes(4)), "it unpacks to 164 bytes instead of 0"),
        (bzimage(payload=b"\x28\xb5\x2f\xfd" + bytes(20)), "zstd cannot unpack it"),
        (bzimage(vmlinux(note=False)), "it has no PVH note"),
    ],
    ids=["lzo", "damaged gzip", "damaged xz", "wrong size", "damaged zstd", "no PVH"],
)
def test_what_cannot_be_taken_out_boots_compressed_and_says_so(data, reason, get, image, notices):
    path = image(data)
    assert get(path).boot_image == path
    (notice,) = notices
    assert notice.startswith(f"Kernel bzImage boots compressed, which is slower. The vmlinux in {path}: ")
    assert re.search(reason, notice)


def test_a_missing_tool_is_no_error(get, image, notices, monkeypatch):
    path = image(bzimage(packer="lz4"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert get(path).boot_image == path
    assert notices[0].endswith("lz4 cannot be started: No such file or directory. Install lz4.")


def test_the_note_is_found_behind_others():
    assert has_pvh_note(vmlinux())
    assert not has_pvh_note(vmlinux(note=False))


def test_the_settings_that_ship_are_complete():
    settings = load_settings()
    assert settings.kernels == ("archive", "host")
    assert settings.exclude == settings.pin == settings.local == {}
    assert settings.suites[0] == "bullseye-security"
    assert settings.suites[-1] == "experimental"
    assert len(settings.suites) == len(set(settings.suites)) == 10


GOOD = 'kernels = ["6.1"]\nsuites = ["sid"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kernel = ["6.1"]\nsuites = ["sid"]', "unknown key 'kernel'. Did you mean 'kernels'"),
        ('kernels = ["6.1"]\nsuits = ["sid"]', "unknown key 'suits'. Did you mean 'suites'"),
        ('kernels = "6.1"\nsuites = ["sid"]', "kernels must be a list of kernels in quotes"),
        (
            'kernels = [6.1]\nsuites = ["sid"]',
            "kernels, item 1 must be text in quotes that is not empty, not 6.1. Quote it",
        ),
        ('kernels = []\nsuites = ["sid"]', "kernels must be a list of kernels in quotes that is not empty"),
        ('kernels = ["6.1"]', "the key 'suites' is missing"),
        (GOOD + "[pins]", "unknown key 'pins'. Did you mean 'pin'"),
        (GOOD + 'pin.6.1 = "6.1.190-1"', "pin: a key must be a series in quotes, .*, not '6'"),
        (
            GOOD + '[pin]\n"6.1" = { versoin = "6.1.1-1" }',
            "pin.6.1: unknown key 'versoin'. Did you mean 'version'",
        ),
        (GOOD + '[pin]\n"6.1" = { version = "6.1.1-1" }', "pin.6.1: the key 'reason' is missing. Add it"),
        (GOOD + '[pin]\n"6.1" = "6.1.1-1"', "pin.6.1 must be a table with the keys version and reason"),
        (GOOD + '[exclude]\n"6.1" = ""', "exclude.6.1 must be text in quotes that is not empty"),
        (GOOD + '[exclude]\n6.1 = "x"', "exclude: a key must be a series in quotes, .*, not '6'"),
        (
            GOOD + '[exclude]\n"6.1.190" = "x"',
            "exclude: a key must be a series in quotes, which is two numbers, .*, not '6.1.190'",
        ),
        (GOOD + 'exclude = ["6.1"]', "exclude must be a table: .exclude., then a line for each"),
        (
            GOOD + '[exclude]\n"6.1" = "x"\n[pin]\n"6.1" = {version="1",reason="x"}',
            "6.1 is pinned and excluded",
        ),
        (GOOD + '[local]\nhost = "linux"', "'host' cannot be the name of a local kernel"),
        (GOOD + '[local]\n"6.1" = "linux"', "'6.1' cannot be the name of a local kernel"),
        (GOOD + '[local]\n"a/b" = "linux"', "'a/b' cannot be the name of a local kernel"),
        (GOOD + "[local]\nmine = 1", "local.mine must be text in quotes that is not empty, not 1. Quote it"),
        ("kernels = [", "is not valid TOML: Invalid value"),
        ("kernels = \xff", "is not UTF-8: .* at byte 10. Save it as UTF-8"),
    ],
)
def test_settings_that_make_no_sense_are_trouble(text, message, tmp_path):
    path = tmp_path / "kernels.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(HarnessError, match=f"{path}.*{message}"):
        load_settings(path)


def test_settings_that_are_not_there_are_trouble(tmp_path):
    with pytest.raises(HarnessError, match="cannot be read: .*No such file"):
        load_settings(tmp_path / "kernels.toml")


def test_settings_hold_exclusions_pins_and_kernels_of_ones_own(tmp_path):
    path = tmp_path / "kernels.toml"
    path.write_text(
        GOOD
        + '[exclude]\n"6.16" = "it does not boot"\n'
        + '[pin]\n"6.1" = { version = "6.1.190-1", reason = "the next one hangs" }\n'
        + '[local]\nmine = "linux/bzImage"\nother = "/srv/vmlinux"\n'
    )
    settings = load_settings(path)
    assert settings.exclude == {"6.16": "it does not boot"}
    assert settings.pin == {"6.1": Pin(version="6.1.190-1", reason="the next one hangs")}
    assert settings.local == {"mine": tmp_path / "linux/bzImage", "other": Path("/srv/vmlinux")}


def test_every_key_of_the_settings_is_documented_in_the_file_that_ships():
    text = SETTINGS.read_text()
    for key in Settings.__dataclass_fields__:
        assert re.search(
            rf"^(\[{key}\]|{key} = )", text, re.MULTILINE
        ), f"kernels.toml says nothing about {key}"


def test_examples_in_the_file_that_ships_are_right(tmp_path):
    lines = SETTINGS.read_text().splitlines()
    examples = {"exclude": '#   "6.16"', "pin": '#   "6.1" = {', "local": "#   mine"}
    for key, begin in examples.items():
        (example,) = (line for line in lines if line.startswith(begin))
        path = tmp_path / "kernels.toml"
        path.write_text(f"{GOOD}[{key}]\n{example.removeprefix('#')}\n")
        assert getattr(load_settings(path), key)


# --- column headings -------------------------------------------------------------------------------------------


@pytest.fixture
def linux(tmp_path):
    """A directory that looks like a kernel's source tree."""
    (tmp_path / "linux").mkdir()
    (tmp_path / "linux/Makefile").write_text(
        "VERSION = 6\nPATCHLEVEL = 18\nSUBLEVEL = 0\nEXTRAVERSION = -rc3\n"
    )
    return tmp_path / "linux"


def test_every_kind_of_kernel_has_a_heading(linux, tmp_path):
    local = {"mine": linux, "image": Path("no/such")}
    kasan = Path("configs/kasan.config")

    def heading(spec, *fragments):
        return specify(str(spec), local, fragments).heading

    assert heading("host") == "host"
    assert heading("6.1") == "6.1"
    assert heading("7.3=7.3.4-1~bpo13+1") == "7.3.4-1~bpo13+1"
    assert heading("some/bzImage") == "bzImage"
    assert heading("a/linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb") == "6.1.0-56-cloud-amd64.deb"
    assert heading("a/linux-binary-unsigned-7.3-cloud-amd64_7.3-1_amd64.deb") == "7.3-cloud-amd64.deb"
    assert heading("a/linux-image-6.1.0-56-amd64-unsigned_6.1.192-2_amd64.deb") == "6.1.0-56-amd64.deb"
    assert heading("a/mine.deb") == "mine.deb"
    assert heading(linux) == "6.18.0-rc3-tree"
    assert heading(linux, kasan) == "6.18.0-rc3-tree+kasan"
    assert heading("mine", kasan) == "mine+kasan"
    assert heading("image", kasan) == "image"  # it is not built, so it has no configuration
    assert specify("mine", local).path == linux
    assert specify("mine", local).kind is Kind.TREE


def test_two_columns_of_one_name_are_trouble(linux, tmp_path):
    shutil.copytree(linux, tmp_path / "other")
    both = [str(linux), str(tmp_path / "other")]
    with pytest.raises(
        HarnessError, match="would both be the column '6.18.0-rc3-tree'. Rename one, or name it in .local."
    ):
        columns_for(both, {}, ())
    assert list(columns_for([both[0], "mine"], {"mine": tmp_path / "other"}, ()).values()) == [
        "6.18.0-rc3-tree",
        "mine",
    ]
    assert columns_for(["6.1", "6.1", "host"], {}, ()) == {"6.1": "6.1", "host": "host"}


def test_a_local_name_is_obtained_like_its_path(tmp_path, image, notices):
    path = image(bzimage(), "bzImage")
    kernel = obtain(
        "mine",
        cache=Cache(tmp_path / "cache"),
        archive=FakeArchive(path),
        notice=notices.append,
        local={"mine": path},
    )
    assert (kernel.name, kernel.image, kernel.source) == ("mine", path, f"file {path}")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("it's.img", 'it has the character "\'"'),
        ("größe", "it has the character 'ö'"),
        ("[red]", "it has the character '\\['"),
        (".hidden", "begins with a letter or a digit"),
        ("x" * 120, "it has 120 characters"),
    ],
)
def test_a_kernel_whose_name_cannot_be_a_columns_is_not_called_something_else(name, says, tmp_path):
    (tmp_path / name).write_bytes(bzimage())
    with pytest.raises(HarnessError, match=f"{says}.* Rename it, or give it a name in \\[local\\]") as told:
        specify(str(tmp_path / name))
    assert "is not a kernel" not in str(told.value)
    assert specify("mine", {"mine": tmp_path / name}).heading == "mine"
