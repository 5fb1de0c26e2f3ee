# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The harness: boots kernels, runs the conformance suite in each, judges every cell, renders reports.

Data flows one way: kernels -> machine (vm, host) -> observe -> judge -> results -> report. Each module
is named by its noun; none imports a module to its right.
"""
