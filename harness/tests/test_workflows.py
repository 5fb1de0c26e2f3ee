"""The workflows of GitHub: each is right as far as we can see, and each thing that could be wrong is seen."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from harness.tests import workflow
from harness.tests.workflow import ROOT, problems, run_steps

WORKFLOWS = {path.name: path.read_text() for path in sorted((ROOT / ".github" / "workflows").iterdir())}
NIGHTLY, PUSH = WORKFLOWS["nightly.yml"], WORKFLOWS["push.yml"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_right(name):
    assert problems(WORKFLOWS[name]) == []


def test_there_are_no_others():
    assert list(WORKFLOWS) == ["nightly.yml", "push.yml"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: nightly", "name: [nightly", "It is not YAML"),
        ("name: nightly\n\non:", "name: nightly\nname: again\n\non:", "'name' stands twice"),
        ("jobs:", "jbos:", "'jbos' was unexpected"),
        ("permissions:\n  contents: read\n", "", "'permissions' is a required property"),
        ("permissions:\n  contents: read\n", "permissions: write-all\n", "{'contents': 'read'} was expected"),
        ("  contents: read\n\nconc", "  contents: write\n\nconc", "{'contents': 'read'} was expected"),
        ("      contents: write", "      packages: write", "'packages' was unexpected"),
        ("  group: nightly\n", "", "'group' is a required property"),
        ("    shell: bash", "    shell: sh", "{'run': {'shell': 'bash'}} was expected"),
        ("  schedule:", "  scheduled:", "'scheduled' was unexpected"),
        ('"23 3 * * *"', '"23 3 * *"', "does not match"),
        ("    timeout-minutes: 20\n", "", "'timeout-minutes' is a required property"),
        ("ubuntu-24.04", "ubuntu-latest", "is not one of ['ubuntu-24.04']"),
        ("fail-fast: false", "fail-fast: true", "False was expected"),
        ("actions/cache@v5", "actions/cache@main", "jobs.kernel.steps.3"),
        ("actions/cache@v5", "someone/cache@v5", "jobs.kernel.steps.3"),
        ("          key: ", "          kye: ", "jobs.kernel.steps.3"),
        ("        if: always()\n        with:\n          name: nightly", "        continue-on-error: true\n        with:\n          name: nightly", "jobs.report.steps"),
        ("needs: [plan, kernel]", "needs: [plan, kernels]", "it needs 'kernels', which is no other job"),
        ("    needs: plan\n", "    needs: kernel\n", "it needs 'kernel', which is no other job"),
        ("    outputs:\n", "    needs: report\n    outputs:\n", "plan: it waits for itself"),
        ("needs: [plan, kernel]", "needs: [kernel]", "needs.plan.outputs.kernels: the job does not need plan"),
        ("fromJSON(needs.plan.outputs.kernels)", "fromJSON(needs.plan.outputs.columns)", "plan has no output columns"),
        ("fromJSON(needs", "fromJson(needs", "there is no function fromJson()"),
        ("steps.plan.outputs.kernels", "steps.plna.outputs.kernels", "no step before it has the id plna"),
        ("steps.plan.outputs.kernels", "steps.plan.outputs.kernel", "the step plan writes no output kernel"),
        ("        id: plan\n", "", "no step before it has the id plan"),
        ('echo "kernels=$kernels"', 'echo "columns=$kernels"', "the step plan writes no output kernels"),
        ("${{ matrix.cache_key }}", "${{ matrix.key }}", "the matrix has no key"),
        ("name: kernel ${{ matrix.kernel }}", "name: kernel ${{ steps.x.outputs.y }}", "there is no steps here"),
        ("    if: always() # with", "    if: always() && matrix.kernel # with", "there is no matrix here"),
        ("github.event_name == 'schedule' &&", "github.event == 'schedule' &&", "this check does not know it"),
        ("== 'schedule' && '--commit'", '== "schedule" && \'--commit\'', "GitHub knows only single quotes"),
        ("${{ matrix.cache_key }}", "${{ matrix.cache_key }", "an expression is not closed"),
        ('--kernel "$KERNEL"', "--kernel ${{ matrix.kernel }}", "an expression in a script; give it to the step's env"),
        ('--kernel "$KERNEL"', "--kernel $KERNEL", "Double quote to prevent globbing"),
        ('--kernel "$KERNEL"', '--kernel "$COLUMN"', "the variable COLUMN is not set in env"),
        ("        env:\n          KERNEL: ${{ matrix.kernel }}\n", "", "the variable KERNEL is not set in env"),
        ("run: ci/install", "run: ci/instal", "there is no script ci/instal"),
        ("run: ci/install", "run: ci/packages", "ci/packages is not executable"),
        ("--fresh-boot", "--freshly-boot", "ci/matrix --help knows no --freshly-boot"),
        ("ci/plan --refresh", "ci/plan --fresh", "ci/plan --help knows no --fresh"),
        ("--into build/merged", "--to build/merged", "ci/merge --help knows no --to"),
        ("--summary", "--sum", "ci/nightly --help knows no --sum"),
        ("run: ci/install", "run: ci/install || true", "a failure is swallowed"),
    ],
)  # fmt: skip
def test_what_could_be_wrong_is_seen(old, new, says):
    assert old in NIGHTLY
    found = problems(NIGHTLY.replace(old, new))
    assert any(says in problem for problem in found), found


def test_on_is_a_word_and_not_yes():
    assert "on" in yaml.load(PUSH, workflow._Loader)


def jobs(text):
    return yaml.load(text, workflow._Loader)["jobs"]


def test_where_tests_run_io_uring_is_allowed():
    for job in (jobs(PUSH)["test"], jobs(NIGHTLY)["kernel"]):
        assert "--security-opt seccomp=unconfined" in job["container"]["options"]


def test_only_the_report_may_write_and_the_others_keep_no_token():
    everything = [*jobs(PUSH).items(), *jobs(NIGHTLY).items()]
    assert [name for name, job in everything if "permissions" in job] == ["report"]
    for name, job in everything:
        checkout = next(step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout"))
        assert checkout.get("with", {}).get("persist-credentials") == (None if name == "report" else False)


def test_results_are_kept_in_every_case():
    for name in ("kernel", "report"):
        last = jobs(NIGHTLY)[name]["steps"][-1]
        assert last["uses"].startswith("actions/upload-artifact") and last["if"] == "always()"
    assert jobs(NIGHTLY)["report"]["if"] == "always()"


def test_push_runs_what_people_run():
    assert list(run_steps(PUSH))[-1] == ("Build and check everything", ".ci/run")


def test_the_step_that_plans_gives_the_matrix_its_columns(tmp_path):
    output = tmp_path / "output"
    script = dict(run_steps(NIGHTLY))["Ask the archive which kernels there are"].replace(" --refresh", "")
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]  # as GitHub calls it
    subprocess.run(command, cwd=ROOT, check=True, env={"PATH": "/usr/bin:/bin", "HOME": "/root", "GITHUB_OUTPUT": str(output)})
    name, _, value = output.read_text().partition("=")
    assert name == "kernels" and value.count("\n") == 1
    assert all(set(entry) == {"kernel", "cache_key"} for entry in yaml.safe_load(value))
    broken = script.replace("ci/plan", "ci/plan --mirror http://127.0.0.1:9/debian --cache /dev/null")
    done = subprocess.run([*command[:-1], broken], cwd=ROOT, check=False, capture_output=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/root", "GITHUB_OUTPUT": str(output)})  # fmt: skip
    assert done.returncode == 2  # not swallowed by the echo behind it


@pytest.mark.parametrize("script", [*sorted((ROOT / "ci").iterdir()), ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_our_scripts_are_strict_and_right(script):
    if script.stem == "packages":
        return
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["shellcheck", "--shell=bash", script], check=True)
