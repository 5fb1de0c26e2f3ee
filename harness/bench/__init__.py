"""Benchmarks. `ci/bench` compares the binding with others: bindings/bench/README.md says what is measured and how."""
