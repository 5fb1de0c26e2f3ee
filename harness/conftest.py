# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`pytest harness` is the matrix: see matrix/plugin.py."""

pytest_plugins = ("harness.matrix.plugin",)
