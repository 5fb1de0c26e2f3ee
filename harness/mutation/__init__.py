"""Breaks the binding on purpose, one change at a time, and sees who notices: `ci/mutate`.

    operators, handmade.toml      which changes there are            headers: the syntax trees they are made from
    schemata                      many mutants in one program        builder: copies of the tree, compilers
    trial                         what each mutant does to the suite, and who notices first
    ledger, report                what was found, as data (build/mutants) and for people (reports/mutants.md)
    equivalents.toml              mutants that cannot be told from the original, each with the sentence that proves it
"""
