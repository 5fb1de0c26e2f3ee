# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""ci/harness mutate: which mutants there are, how one program holds many, what is remembered, and that the suite notices a sample."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import README, REPORTS
from harness.mutation import (
    builder,
    command,
    headers,
    ledger,
    mutants,
    operators,
    publication,
    report,
    schemata,
    trial,
)
from harness.mutation.ledger import Exemption
from harness.mutation.trial import Finding, Verdict, Witness

HEADER = """\
// A comment with 1 + 1 == 2 in it, and code that has all that operators look for.
#ifndef URING_H
#define URING_H
namespace uring {
using u32 = unsigned;
inline constexpr u32 first_flag = 1;  // 5.1
inline constexpr u32 other_flag = 2;  // 5.1
static_assert(first_flag + other_flag == 3);
struct Entry { u32 len; u32 off; };
inline u32 sum(u32 a, u32 b) noexcept {
  const char* text = "a == b";
  if (a == b && *text != 'x') return a + first_flag;
  Entry entry{};
  entry.len = b;
  return entry.len - 7;
}
}  // namespace uring
#endif
"""


@pytest.fixture
def tree(tmp_path):
    """A binding of one header."""

    def write(text: str = HEADER) -> dict[str, headers.Header]:
        (tmp_path / "uring" / "arch").mkdir(parents=True, exist_ok=True)
        (tmp_path / "uring" / "uring.h").write_text(text)
        (tmp_path / "uring" / "arch" / "aarch64.h").write_text("#pragma once\n")
        return headers.read(tmp_path)

    return write


def changes(tree) -> list[str]:
    return [mutant.change for mutant in operators.generate(tree)]


def test_every_kind_of_operator_finds_its_places_and_no_comment_string_or_assertion(tree):
    assert changes(tree()) == [
        "`first_flag` is 2, not 1",
        "`other_flag` is 3, not 2",
        "`entry.len = b` is left out",
        "`a == b && *text != 'x'` becomes `true`",
        "`a == b && *text != 'x'` becomes `false`",
        "`a == b && *text != 'x'` becomes `a == b || *text != 'x'`",
        "`a == b` becomes `a != b`",
        "`a` becomes `b`",
        "`b` becomes `a`",
        "`*text != 'x'` becomes `*text == 'x'`",
        "`a + first_flag` becomes `a - first_flag`",
        "`a` becomes `b`",
        "`first_flag` becomes `other_flag`",
        "`first_flag` becomes `u32{}`",
        "`entry.len` becomes `entry.off`",
        "`b` becomes `a`",
        "`entry.len - 7` becomes `entry.len + 7`",
        "`entry.len` becomes `entry.off`",
        "`7` becomes `8`",
        "`7` becomes `0`",
    ]


def test_a_default_argument_is_in_the_header_of_the_declaration(tmp_path, tree):
    tree()
    definition = "#pragma once\ntemplate <class T>\nvoid Ring<T>::init(unsigned flags) {}\n"
    (tmp_path / "uring" / "setup.h").write_text(definition)
    found = tree(
        '#pragma once\ntemplate <class T>\nstruct Ring {\n  void init(unsigned flags = 7);\n};\n#include "setup.h"\n'
    )
    places = [
        file
        for file, header in found.items()
        for top in header.nodes
        for node in top.descendants()
        if node.kind == "INTEGER_LITERAL"
    ]
    assert places == ["uring.h"]


def test_a_mutant_keeps_its_name_when_something_else_changes(tree):
    before = {mutant.title: mutant.id for mutant in operators.generate(tree())}
    longer = HEADER.replace("inline u32 sum", "inline u32 one() noexcept { return 1; }\n\ninline u32 sum")
    after = {mutant.title: mutant.id for mutant in operators.generate(tree(longer))}
    assert {title: after[title] for title in before} == before
    changed = HEADER.replace("return entry.len - 7;", "return entry.len - 9;")
    assert {mutant.id for mutant in operators.generate(tree(changed))} != set(before.values())


def test_one_program_is_every_mutant(tree, tmp_path):
    found = operators.generate(tree())
    numbered = {number: mutant for number, mutant in enumerate(found, start=1) if mutant.choices}
    text = schemata.combine(tree(), numbered)["uring.h"].text
    (tmp_path / "main.cc").write_text(
        f"{schemata.PREAMBLE}{text}\nint main() {{ return static_cast<int>(uring::sum(3, 3) * 16 + uring::sum(20, 10) % 16); }}\n"
    )
    subprocess.run(["g++", "-std=c++20", "-w", "-o", tmp_path / "main", tmp_path / "main.cc"], check=True)

    def result(change: str) -> int:
        number = next((n for n, mutant in numbered.items() if mutant.change == change), 0)
        assert number or not change
        return subprocess.run(
            [tmp_path / "main"], env={schemata.VARIABLE: str(number)}, check=False
        ).returncode

    assert result("") == 4 * 16 + 3
    assert result("`a == b` becomes `a != b`") == (3 - 7) * 16 % 256 + 21 % 16
    assert result("`entry.len = b` is left out") == 4 * 16 + (2**32 - 7) % 16
    assert result("`first_flag` is 2, not 1") == 5 * 16 + 3, "told to those who use it"


def test_a_choice_that_does_not_compile_is_blamed(tree):
    found = operators.generate(tree())
    number, mutant = next((n, one) for n, one in enumerate(found) if one.change == "`7` becomes `8`")
    text = schemata.combine(tree(), {number: mutant})["uring.h"]
    lines = text.text.splitlines()
    line = next(n for n, one in enumerate(lines, start=1) if "mutation::on" in one)
    assert text.mutants_at(line, lines[line - 1].index("mutation::on") + 1) == (number,)
    assert text.mutants_at(line, len(lines[line - 1])) == (number,), "the operator beside it, say"
    assert text.mutants_at(1, 1) == ()


# --- hand-made mutants and exemptions ---------------------------------------------------------------------------------


def test_a_hand_made_mutant_must_find_its_place(tree, tmp_path):
    def entry(before: str) -> Path:
        path = tmp_path / "handmade.toml"
        path.write_text(
            f'[[mutant]]\nfile = "uring.h"\nscope = "sum"\nbefore = "{before}"\nafter = "0"\nwhy = "so"\n'
        )
        return path

    (mutant,) = mutants.handmade(tree(), entry("entry.len - 7"))
    assert mutants.apply(tree(), mutant)["uring.h"] == HEADER.replace("entry.len - 7", "0")
    with pytest.raises(HarnessError, match="'not there' appears 0 times in sum of uring.h"):
        mutants.handmade(tree(), entry("not there"))
    with pytest.raises(HarnessError, match="'entry.len' appears 2 times"):
        mutants.handmade(tree(), entry("entry.len"))
    with pytest.raises(
        HarnessError, match="mutant 1: before must be what is in the header, in quotes, not ''"
    ):
        mutants.handmade(tree(), entry(""))


def test_an_exemption_must_name_a_mutant_as_it_is(tree, tmp_path):
    mutant = operators.generate(tree())[0]
    path = tmp_path / "equivalents.toml"
    path.write_text(f'[[equivalent]]\nmutants = ["{mutant.id} {mutant.title}"]\nreason = "is\\n so"\n')
    assert ledger.exemptions([mutant], path) == {mutant.id: Exemption(True, "is so")}
    with pytest.raises(HarnessError, match="there is no such mutant"):
        ledger.exemptions([replace(mutant, line="another")], path)
    path.write_text(path.read_text() * 2)
    with pytest.raises(HarnessError, match="exempts .* twice"):
        ledger.exemptions([mutant], path)
    path.write_text('[[equivalents]]\nreason = "x"\n')
    with pytest.raises(HarnessError, match="unknown key 'equivalents'. Did you mean 'equivalent'"):
        ledger.exemptions([mutant], path)


# --- how a run ends -----------------------------------------------------------------------------------------------------

KILLED = Finding(Verdict.KILLED, Witness.SUITE, "Nop.MovesEveryIndexByOne", "failed")
SURVIVED = Finding(Verdict.SURVIVED)


class Judge:
    """Replaces the runner: every mutant gets the outcome that the test chose."""

    def __init__(self, findings: dict[str, Finding]) -> None:
        self._findings = findings

    def try_one(self, mutant: mutants.Mutant, earlier: Finding | None = None) -> Finding:
        return self._findings.get(mutant.id, KILLED)

    def demand_that_the_original_passes(self) -> None:
        pass


@pytest.fixture
def mutate(tree, tmp_path, monkeypatch, capsys):
    """Runs the command on the binding of one header; returns exit code and output."""
    (tmp_path / "README.md").write_text(f"# Title\n{report.BEGIN}\n{report.END}\nEnd.\n")
    (tmp_path / "equivalents.toml").write_text("")
    tree()
    monkeypatch.setattr(command, "INCLUDE", tmp_path)
    monkeypatch.setattr(command, "handmade", lambda headers: [])
    monkeypatch.setattr(command, "Builder", lambda *_: type("None", (), {"program": lambda *_: None})())
    monkeypatch.setattr(ledger, "LAST", tmp_path / "mutants.ndjson")
    monkeypatch.setattr(ledger.exemptions, "__defaults__", (tmp_path / "equivalents.toml",))
    monkeypatch.setattr(publication, "PAGE", tmp_path / "mutants.md")
    monkeypatch.setattr(publication, "README", tmp_path / "README.md")

    def run(*arguments: str, **findings: Finding) -> tuple[int, str]:
        found = {
            mutant.id: findings.get(f"m{n}", KILLED) for n, mutant in enumerate(operators.generate(tree()))
        }
        monkeypatch.setattr(command, "Runner", lambda *_: Judge(found))
        code = command.main(["--into", str(tmp_path / "into"), "--fresh", *arguments])
        return code, capsys.readouterr().out

    return run


def test_a_complete_run_is_published(mutate, tmp_path):
    code, _ = mutate()
    assert code == 0
    assert (
        "20 of 20 mutants of the binding are killed, 20 of them by the suite alone"
        in (tmp_path / "README.md").read_text()
    )
    assert len(ledger.read(tmp_path / "mutants.ndjson")) == 20


def test_one_that_was_killed_before_and_survives_is_a_finding(mutate):
    mutate()
    code, output = mutate(m3=SURVIVED)
    assert code == 1
    assert "survives, and was killed by Nop.MovesEveryIndexByOne before" in output


def test_an_equivalent_may_survive_and_must_not_die(mutate, tmp_path, tree):
    mutant = operators.generate(tree())[3]
    (tmp_path / "equivalents.toml").write_text(
        f'[[equivalent]]\nmutants = ["{mutant.id} {mutant.title}"]\nreason = "so"\n'
    )
    code, _ = mutate(m3=SURVIVED)
    assert code == 0
    assert "## Equivalent" in (tmp_path / "mutants.md").read_text()
    code, output = mutate()
    assert code == 1
    assert f"{mutant.id} dies" in output


def test_the_list_has_the_names_also_while_the_exemptions_have_old_ones(mutate, tmp_path, tree):
    (tmp_path / "equivalents.toml").write_text(
        '[[equivalent]]\nmutants = ["0123abcd x.h: gone"]\nreason = "so"\n'
    )
    with pytest.raises(HarnessError, match="which ci/harness mutate --list shows"):
        mutate()
    code, output = mutate("--list")
    assert code == 0
    assert output.splitlines() == [f"{mutant.id} {mutant.title}" for mutant in operators.generate(tree())]


def test_a_part_is_not_published(mutate, tmp_path):
    code, output = mutate("--file", "uring.h", "is left out")
    assert code == 0
    assert "-  entry.len = b;\n+  ;" in output, "a diff of the one mutant"
    assert not (tmp_path / "mutants.ndjson").exists()
    with pytest.raises(HarnessError, match="There is no mutant in ring.h"):
        mutate("--file", "ring.h")


def test_findings_hold_as_long_as_what_they_were_made_from(tmp_path, tree):
    """A killed mutant needs only the headers and the test that killed it; a survivor all tests."""
    first, second, third = operators.generate(tree())[:3]
    for folder in ("bindings/include", "bindings/tests", "conformance/zig"):
        (tmp_path / folder).mkdir(parents=True)
    nop, other = tmp_path / "conformance/zig/nop_test.cc", tmp_path / "conformance/zig/other_test.cc"
    nop.write_text("TEST_F(Nop, MovesEveryIndexByOne) {}")
    other.write_text("TEST_F(Other, Test) {}")

    def journal() -> ledger.Journal:
        return ledger.Journal(tmp_path / "findings", ledger.Sources(tmp_path))

    journal().add(first, KILLED)
    journal().add(second, replace(KILLED, killer="Other.Test/Ring2"))
    journal().add(third, SURVIVED)
    with (tmp_path / "findings").open("a") as file:
        file.write('{"half a li')
    assert journal().known.keys() == {first.id, second.id, third.id}
    other.write_text("TEST_F(Other, Test) { FAIL(); }")
    assert journal().known == {first.id: KILLED}
    (tmp_path / "bindings/include/ring.h").write_text("")
    assert journal().known == {}


# --- how a test program ends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "finding"),
    [
        ("exit 0", SURVIVED),
        ("echo '[ RUN      ] A.B'; echo '[  FAILED  ] A.B (0 ms)'; exit 1", Finding(Verdict.KILLED, None, "A.B", "failed")),
        ("echo '[ RUN      ] A.B'; exit 124", Finding(Verdict.KILLED, None, "A.B", "hung")),
        ("echo '[ RUN      ] A.B'; kill -SEGV $$", Finding(Verdict.KILLED, None, "A.B", "died of SIGSEGV")),
        ("exit 3", Finding(Verdict.KILLED, None, "the start", "ended with 3")),
        ("echo '[ RUN      ] A.B'; sleep 60 & sleep 60", Finding(Verdict.KILLED, None, "A.B", "hung")),
    ],
)  # fmt: skip
def test_every_end_of_a_test_program_is_understood(tmp_path, monkeypatch, script, finding):
    monkeypatch.setattr(trial, "RUN_TIMEOUT_S", 1)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert trial.run_tests(program) == finding


def test_the_test_that_noticed_a_mutant_before_is_asked_first(tree, tmp_path):
    program = tmp_path / "program"
    program.write_text(
        '#!/bin/sh\necho "$*" >>"$0.asked"\ncase $* in *A.B*) echo "[  FAILED  ] A.B"; exit 1; esac\n'
    )
    program.chmod(0o755)
    mutant = next(one for one in operators.generate(tree()) if one.change == "`a == b` becomes `a != b`")
    runner = trial.Runner(
        builder.Builder(tmp_path / "work", tree()), builder.Program({mutant.id: 1}, program, program)
    )

    def asked(earlier: Finding | None) -> list[str]:
        (tmp_path / "program.asked").write_text("")
        runner.try_one(mutant, earlier)
        words = (tmp_path / "program.asked").read_text().split()
        return [word.partition("=")[2] for word in words if word.startswith("--gtest_filter")]

    by_suite = Finding(Verdict.KILLED, Witness.SUITE, "A.B", "failed")
    assert asked(by_suite) == ["A.B"]
    whole = trial.passing_here()
    assert asked(replace(by_suite, killer="A.C"))[:2] == ["A.C", whole], "it does not notice any more"
    assert asked(replace(by_suite, witness=Witness.UNITS)) == [whole, "A.B"], "all of the suite comes first"


def test_what_the_compiler_noticed_is_compiled_first(tree, tmp_path, monkeypatch):
    mutant = next(one for one in operators.generate(tree()) if one.change == "`a == b` becomes `a != b`")
    runner = trial.Runner(
        builder.Builder(tmp_path / "work", tree()), builder.Program({mutant.id: 1}, tmp_path, tmp_path)
    )
    by_compiler = Finding(Verdict.KILLED, Witness.COMPILER, "static_assert", "failed")
    monkeypatch.setattr(runner, "_compiled", lambda mutant, include: iter([by_compiler]))
    monkeypatch.setattr(trial, "run_tests", lambda *_, **__: pytest.fail("a program was asked"))
    assert runner.try_one(mutant, by_compiler) == by_compiler


def test_what_this_kernel_is_known_to_fail_does_not_judge_mutants(monkeypatch):
    def on(release: str) -> str:
        trial.passing_here.cache_clear()
        monkeypatch.setattr("os.uname", lambda: SimpleNamespace(release=release, version=""))
        return trial.passing_here()

    assert "RecvBundle." in on("6.16.12") and on("6.16.12").startswith("*-")
    assert "RecvBundle." not in on("6.17.13")
    assert on("5.3.1").startswith("*-SysctlDisabled.*:") and "BlockDiscard.*" in on("5.3.1"), "rows of guests"
    monkeypatch.undo()
    trial.passing_here.cache_clear()


@pytest.mark.parametrize("accident", ["exit 3", "echo '[ RUN      ] A.B'; exit 124"])
def test_what_happens_once_is_an_accident(tmp_path, accident):
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\n[ -e "$0.ran" ] && exit 0\ntouch "$0.ran"\n{accident}\n')
    program.chmod(0o755)
    assert trial.run_tests(program) == SURVIVED


def test_a_look_at_code_that_fails_without_a_mutant_stops_everything(tree, tmp_path, monkeypatch):
    """Otherwise a compiler that is not installed would kill every mutant of a memory order."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    runner = trial.Runner(builder.Builder(tmp_path / "work", tree()), builder.Program({}, program))
    monkeypatch.setattr(trial, "_checks", lambda include: {"sees.nothing": ["false"]})
    with pytest.raises(HarnessError, match="sees.nothing fails without any mutant"):
        runner.demand_that_the_original_passes()


@pytest.mark.parametrize(
    ("code", "verdict", "witness"),
    [(0, None, None), (1, Verdict.KILLED, Witness.CODE), (2, Verdict.INVALID, None)],
)
def test_a_check_that_could_not_look_has_killed_nobody(tree, tmp_path, monkeypatch, code, verdict, witness):
    sources = tree()
    runner = trial.Runner(builder.Builder(tmp_path / "work", sources), builder.Program({}, Path("none")))
    mutant = operators.generate(sources)[0]
    include = runner._builder.alone(mutant)
    monkeypatch.setattr(runner, "_rows", lambda include: iter(()))
    monkeypatch.setattr(
        trial, "_checks", lambda where: {"look": ["sh", "-c", f"exit {code if where == include else 0}"]}
    )
    found = [(one.verdict, one.witness) for one in runner._looked_at(mutant, include)]
    assert found == ([] if verdict is None else [(verdict, witness)])


def test_what_does_not_compile_is_no_mutant_only_if_the_original_compiles(tree, tmp_path):
    """Otherwise a test that does not compile would take every mutant off the list."""
    shop = builder.Builder(tmp_path / "work", tree())
    runner = trial.Runner(shop, builder.Program({}, Path("none")))

    def build(include: Path) -> Path | str:
        return include if outcome == "compiles" else "error: no such file"

    outcome = "compiles"
    assert runner._by_compiler("/a/place/x.cc:1:1: error: no type", "one", build) == Finding(
        Verdict.INVALID, killer="no type"
    )
    assert runner._by_compiler("error: static assertion failed: so", "one", build).witness == Witness.COMPILER
    outcome = "does not"
    with pytest.raises(HarnessError, match="two does not compile, without any mutant"):
        runner._by_compiler("x.cc:1:1: error: no type", "two", build)


# --- the real thing -----------------------------------------------------------------------------------------------------


def test_the_published_page_is_of_these_mutants_or_says_that_it_is_not_and_so_does_the_readme():
    sources = headers.read(builder.INCLUDE)
    known = {mutant.id for mutant in [*mutants.handmade(sources), *operators.generate(sources)]}
    page = (REPORTS / "mutants.md").read_text()
    headline = page.partition("**")[2].partition(".**")[0]
    of_these, says_older = report.fingerprint(known) in page, headline.endswith(report.BEFORE)
    assert (
        of_these != says_older
    ), "reports/mutants.md is of other headers: run ci/harness mutate, or say so with --older"
    assert f"{headline}: [reports/mutants.md]" in README.read_text(), "run ci/harness mutate"


def test_a_page_of_earlier_headers_says_so_once(tmp_path, monkeypatch):
    page, readme = tmp_path / "mutants.md", tmp_path / "README.md"
    page.write_text("# Mutants\n\n**3 of 4 mutants are killed.** Another 1\n")
    readme.write_text(
        "**Does it notice?** 3 of 4 mutants are killed: [reports/mutants.md](reports/mutants.md).\n"
    )
    monkeypatch.setattr(publication, "PAGE", page)
    monkeypatch.setattr(publication, "README", readme)
    for _ in range(2):
        assert command.main(["--older"]) == 0
        assert page.read_text() == f"# Mutants\n\n**3 of 4 mutants are killed{report.BEFORE}.** Another 1\n"
        assert f"are killed{report.BEFORE}: [reports/mutants.md]" in readme.read_text()


# Builds the suite once more and hundreds of checks of code: minutes, for what only a change of the binding, of the suite or of
# the operators can turn red. What the night finds is one day old.
@pytest.mark.nightly
@pytest.mark.slow(300)
def test_a_sample_of_hand_made_mutants_dies(tmp_path, capsys):
    """The suite on this machine's kernel notices mistakes that people make: as many as time allows here."""
    code = command.main(["--sample", "--into", str(tmp_path)])
    output = capsys.readouterr().out
    assert code == 0, output
    tried = int(output.partition(" mutants: ")[0].rpartition("\n")[2])
    assert tried >= 18, output
