"""What is wrong with a workflow file, as far as that shows without GitHub: keys, references, scripts, rules of ours.

Debian has no actionlint. This knows only what our workflows use; a new key or action must be added here, on purpose.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from harness.commands.plan import Entry

ROOT = Path(__file__).resolve().parent.parent.parent

# What GitHub calls each context, and where it has a value (its documentation: "Context availability").
_IN_JOB = {"github", "needs", "strategy", "matrix", "job", "runner", "env", "vars", "secrets", "steps", "inputs"}
_AVAILABLE = {
    "concurrency": {"github", "inputs", "vars"},
    "job if": {"github", "needs", "vars", "inputs"},
    "job strategy": {"github", "needs", "vars", "inputs"},
    "job name": {"github", "needs", "strategy", "matrix", "vars", "inputs"},
    "job env": {"github", "needs", "strategy", "matrix", "vars", "secrets", "inputs"},
    "job outputs": _IN_JOB,
    "step": _IN_JOB,
}
_FUNCTIONS = {"always", "success", "failure", "cancelled", "fromJSON", "toJSON", "contains", "startsWith", "format", "hashFiles"}
_GITHUB = {"event_name", "ref", "ref_name", "sha", "workflow", "repository", "run_id"}
_VARIABLES = {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"}  # of each step, by GitHub

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}}
_MINUTES = {"type": "integer", "minimum": 1, "maximum": 360}
_PERMISSIONS = {"type": "object", "properties": {"contents": {"enum": ["read", "write"]}}, "additionalProperties": False}


def _exactly(required: Collection[str], **properties: Any) -> dict[str, Any]:
    """An object with these properties and no others."""
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


_ACTIONS = {  # the newest that run on Node 24, and the inputs of theirs that we use
    "actions/checkout@v5": {"persist-credentials"},
    "actions/cache@v5": {"path", "key"},
    "actions/upload-artifact@v6": {"name", "path", "if-no-files-found"},
    "actions/download-artifact@v7": {"pattern", "path"},
}
_STEP = {
    "oneOf": [
        _exactly(("name", "run"), **{"name": _TEXT, "run": _TEXT, "id": _TEXT, "if": _TEXT, "env": _TEXTS}),
        *(
            _exactly(
                ("uses",),
                **{"uses": {"const": action}, "name": _TEXT, "if": _TEXT},
                **{"with": _exactly((), **dict.fromkeys(inputs, {"type": ["string", "boolean"]}))},
            )
            for action, inputs in _ACTIONS.items()
        ),
    ]
}
_JOB = _exactly(
    ("runs-on", "timeout-minutes", "container", "steps"),
    **{
        "name": _TEXT,
        "needs": {"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
        "if": _TEXT,
        "runs-on": {"enum": ["ubuntu-24.04"]},
        "timeout-minutes": _MINUTES,
        "permissions": _PERMISSIONS,
        "strategy": _exactly(
            ("fail-fast", "matrix"), **{"fail-fast": {"const": False}, "matrix": {"type": "object", "minProperties": 1}}
        ),
        "container": _exactly(("image",), image={"const": "debian:bookworm"}, options=_TEXT),
        "outputs": _TEXTS,
        "env": _TEXTS,
        "steps": {"type": "array", "items": _STEP, "minItems": 1},
    },
)
_NOTHING = {"type": "null"}
_SCHEMA = _exactly(
    ("name", "on", "permissions", "concurrency", "defaults", "jobs"),
    **{
        "name": _TEXT,
        "on": _exactly(
            (),
            push=_NOTHING,
            pull_request=_NOTHING,
            workflow_dispatch=_NOTHING,
            schedule={
                "type": "array",
                "minItems": 1,
                "items": _exactly(("cron",), cron={"type": "string", "pattern": r"^[0-9*/,-]+( [0-9*/,-]+){4}$"}),
            },
        ),
        # The least for all; a job that needs more says so itself.
        "permissions": {"const": {"contents": "read"}},
        "concurrency": _exactly(("group", "cancel-in-progress"), **{"group": _TEXT, "cancel-in-progress": {"type": "boolean"}}),
        # Only a shell that is named gets -o pipefail.
        "defaults": {"const": {"run": {"shell": "bash"}}},
        "jobs": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_-]*$"},
            "additionalProperties": _JOB,
        },
    },
)


class _Loader(yaml.SafeLoader):
    """YAML as GitHub reads it: `on` is a word, and a key may stand only once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"{sorted(twice)[0]!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def problems(text: str) -> list[str]:
    """Everything that is wrong, a sentence each; nothing else is looked at while the keys are wrong."""
    try:
        workflow = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        return [f"It is not YAML: {error}"]
    breaches = [_breach(error) for error in jsonschema.Draft202012Validator(_SCHEMA).iter_errors(workflow)]
    return breaches or list(_after_schema(workflow))


def run_steps(text: str) -> Iterator[tuple[str, str]]:
    """The scripts of the steps, each with the name of its step."""
    for job in yaml.load(text, _Loader)["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                yield step["name"], step["run"]


def _breach(error: jsonschema.ValidationError) -> str:
    deepest = jsonschema.exceptions.best_match([error])
    place = ".".join(str(part) for part in deepest.absolute_path)
    return f"{place}: {deepest.message[:300]}"


def _after_schema(workflow: Mapping[str, Any]) -> Iterator[str]:
    jobs = workflow["jobs"]
    yield from _expressions("concurrency", workflow["concurrency"], "concurrency", {}, jobs, [])
    for name, job in jobs.items():
        for other in _needs(job):
            if other not in jobs or other == name:
                yield f"{name}: it needs {other!r}, which is no other job."
        if _waits_for(name, jobs) is None:
            yield f"{name}: it waits for itself."
        for place in ("if", "strategy", "name", "env", "outputs"):
            known = job["steps"] if place == "outputs" else []
            yield from _expressions(f"{name}.{place}", job.get(place), f"job {place}", job, jobs, known, bare=place == "if")
        for index, step in enumerate(job["steps"]):
            yield from _step(f"{name}, step {step.get('name', step.get('uses'))!r}", step, job, jobs, job["steps"][:index])


def _step(where: str, step: Mapping[str, Any], job: Mapping[str, Any], jobs: Any, earlier: list[Any]) -> Iterator[str]:
    yield from _expressions(f"{where}, if", step.get("if"), "step", job, jobs, earlier, bare=True)
    for part in ("name", "with", "env"):
        yield from _expressions(f"{where}, {part}", step.get(part), "step", job, jobs, earlier)
    if script := step.get("run"):
        if "${{" in script:  # it is pasted into the script before the shell reads it, whatever it holds
            yield f"{where}: an expression in a script; give it to the step's env."
        variables = _VARIABLES | set(job.get("env", ())) | set(step.get("env", ()))
        yield from (f"{where}: {problem}" for problem in _script(script, variables))


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def _waits_for(name: str, jobs: Mapping[str, Any], seen: tuple[str, ...] = ()) -> set[str] | None:
    """All that a job waits for; None if that is itself."""
    if name in seen:
        return None
    found = {name}
    for other in _needs(jobs.get(name, {})):
        further = _waits_for(other, jobs, (*seen, name))
        if further is None:
            return None
        found |= further
    return found


# --- expressions ------------------------------------------------------------------------------------------------


def _expressions(
    where: str, value: Any, place: str, job: Mapping[str, Any], jobs: Any, steps: list[Any], bare: bool = False
) -> Iterator[str]:
    """What is wrong with the expressions in a value; `bare`: the value is one, also without ${{ }}."""
    for text in _texts(value):
        found = re.findall(r"\$\{\{(.*?)\}\}", text)
        if "${{" in re.sub(r"\$\{\{.*?\}\}", "", text):
            yield f"{where}: an expression is not closed: {text!r}."
        for expression in found or ([text] if bare else []):
            yield from (f"{where}: {problem}" for problem in _expression(expression, place, job, jobs, steps))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _expression(text: str, place: str, job: Mapping[str, Any], jobs: Any, steps: list[Any]) -> Iterator[str]:
    if '"' in text:
        yield f"GitHub knows only single quotes: {text.strip()}."
    without_texts = re.sub(r"'[^']*'", "''", text)
    for word, call in re.findall(r"([A-Za-z_][\w.-]*)\s*(\()?", without_texts):
        context, *path = word.split(".")
        if call:
            if word not in _FUNCTIONS:
                yield f"there is no function {word}()."
        elif word in ("true", "false", "null"):
            continue
        elif context not in _AVAILABLE[place]:
            yield f"{word}: there is no {context} here."
        elif problem := _reference(context, path, job, jobs, steps):
            yield f"{word}: {problem}."


def _reference(context: str, path: list[str], job: Mapping[str, Any], jobs: Any, steps: list[Any]) -> str | None:
    match context, path:
        case "github", [name] if name in _GITHUB:
            return None
        case "needs", [other, "outputs", output]:
            if other not in _needs(job):
                return f"the job does not need {other}"
            return None if output in jobs.get(other, {}).get("outputs", {}) else f"{other} has no output {output}"
        case "steps", [step, "outputs", output]:
            script = next((one.get("run", "") for one in steps if one.get("id") == step), None)
            if script is None:
                return f"no step before it has the id {step}"
            written = re.search(rf'^echo "{re.escape(output)}=.*>> "\$GITHUB_OUTPUT"$', script, re.MULTILINE)
            return None if written else f"the step {step} writes no output {output}"
        case "matrix", [key]:
            return None if key in _matrix_keys(job) else f"the matrix has no {key}"
        case "env", [name] if name in job.get("env", {}):
            return None
    return "this check does not know it"


def _matrix_keys(job: Mapping[str, Any]) -> set[str]:
    matrix = job.get("strategy", {}).get("matrix", {})
    keys = set(matrix) - {"include", "exclude"}
    if "fromJSON" in str(matrix.get("include", "")):  # what ci/plan prints
        keys |= {field.name for field in fields(Entry)}
    return keys


# --- scripts ----------------------------------------------------------------------------------------------------


def _script(script: str, variables: Collection[str]) -> Iterator[str]:
    """What is wrong with the shell script of a step."""
    assigned = set(re.findall(r"^(\w+)=", script, re.MULTILINE))
    for name in re.findall(r"\$\{?([A-Za-z_]\w*)", script):
        if name not in variables and name not in assigned:
            yield f"the variable {name} is not set in env."
    if re.search(r"\|\|\s*(true|:)", script) or "set +e" in script:
        yield "a failure is swallowed."
    shell = ["shellcheck", "--shell=bash", "--format=gcc", "-"]
    checked = subprocess.run(shell, input=script, capture_output=True, text=True, check=False)
    yield from checked.stdout.splitlines()
    for line in script.splitlines():
        for command in re.split(r"[;&|]+|\$\(", line.partition(" #")[0]):
            yield from _call(command.replace(")", " "))


def _call(command: str) -> Iterator[str]:
    """What is wrong with a call of one of our scripts."""
    try:
        words = shlex.split(command)
    except ValueError:
        return  # a part of a longer text; shellcheck has read the whole
    if not words or not re.match(r"\.?/?\.?\w*ci/", words[0]):
        return
    script = ROOT / words[0]
    if not script.is_file():
        yield f"there is no script {words[0]}."
    elif not script.stat().st_mode & 0o100:
        yield f"{words[0]} is not executable."
    else:
        for option in (word.partition("=")[0] for word in words[1:] if word.startswith("--")):
            if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_of(words[0])):
                yield f"{words[0]} --help knows no {option}."


@cache
def help_of(script: str) -> str:
    """What a script says of itself."""
    done = subprocess.run([ROOT / script, "--help"], capture_output=True, text=True, check=True)
    return done.stdout
