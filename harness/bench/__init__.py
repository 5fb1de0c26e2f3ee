"""The benchmark of the binding beside others: `ci/bench`. bindings/bench/README.md says what is measured and how."""
