# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Benchmarks. `ci/harness bench` compares the binding with others: bindings/bench/README.md says what is measured and how."""
