"""Breaks the binding on purpose, one change at a time, and sees which check notices: `ci/mutate`.

    operators, handmade.toml      the possible changes               headers: the syntax trees they are made from
    schemata                      many mutants in one program        builder: copies of the tree, compilers
    trial                         what each mutant does to the suite, and which check notices first
    ledger, report                the findings, as data (build/mutants) and for people (reports/mutants.md)
    equivalents.toml              mutants that behave like the original, each with a proof
"""
