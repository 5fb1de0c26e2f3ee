# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Addresses, suites and folders that become a part of apt's configuration: one word each, or a sentence."""

from __future__ import annotations

import pytest

from harness.base.apt import KEYRING, Apt
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.kernels.settings import load_settings


def opened(root, mirror=None, security_mirror=None, suites=("bookworm",)):
    return Apt(Cache(root), suites, mirror=mirror, security_mirror=security_mirror, keyring=KEYRING)


@pytest.mark.parametrize(
    "address",
    [
        "http://a/debian\nTrusted: yes",
        "http://a/debian http://b/",
        "http://a\r",
        "http://a/\u202e",
        "",
        "a/debian",
        "--x",
        "http:",
        "http://a/" + "x" * 1000,
    ],
)
@pytest.mark.parametrize("which", ["mirror", "security_mirror"])
def test_an_address_that_is_more_than_an_address(address, which, tmp_path):
    with pytest.raises(HarnessError, match="is not the address of an archive: .* Correct --mirror"):
        opened(tmp_path, **{which: address})


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:80/debian/",
        "https://user:pw@[::1]/x",
        "file:///srv/debian",
        "tor+http://a.onion/debian",
    ],
)
def test_an_address(address, tmp_path):
    assert opened(tmp_path, address).mirrors()[0] == address


@pytest.mark.parametrize("suite", ["bookworm\nTrusted: yes", "bookworm sid", "../x", "x/../../y", "", "Big"])
def test_a_suite_that_is_more_than_a_name(suite, tmp_path):
    with pytest.raises(HarnessError, match="names the suite .*, which cannot be a name"):
        opened(tmp_path, suites=(suite,))
    file = tmp_path / "kernels.toml"
    file.write_text(
        f'kernels = ["host"]\nsuites = ["bookworm", {suite.encode("unicode_escape").decode()!r}]\n'.replace(
            "'", '"'
        )
    )
    with pytest.raises(HarnessError):
        load_settings(file)


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\b"])
def test_a_cache_whose_name_apts_configuration_cannot_hold(name, tmp_path):
    with pytest.raises(HarnessError, match="apt cannot work in .* Choose another directory with --cache"):
        opened(tmp_path / name, "http://a/debian").update()


@pytest.mark.parametrize(
    "text",
    [
        '[pin]\n"6.1" = { version = "../x", reason = "x" }',
        '[pin]\n"6.1\\n" = { version = "6.1", reason = "x" }',
        '[local]\n"../x" = "/x"',
        '[exclude]\n"6.1\\n" = "x"',
    ],
)
def test_a_name_in_kernels_toml_that_would_be_a_path(text, tmp_path):
    file = tmp_path / "kernels.toml"
    file.write_text(f'kernels = ["host"]\nsuites = ["bookworm"]\n{text}\n')
    with pytest.raises(HarnessError, match="cannot be"):
        load_settings(file)


def test_a_kernels_toml_that_never_ends_or_is_nested_too_deeply(tmp_path):
    file = tmp_path / "kernels.toml"
    file.write_text("x = " + "[" * 100_000)
    with pytest.raises(HarnessError, match="nested too deeply|not valid TOML"):
        load_settings(file)
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(HarnessError, match="it is a device, not a regular file"):
        load_settings(file)
