"""The generated mutants: each constant, comparison, arithmetic and bit operator of the headers is changed, each operand
and field is replaced by its neighbour, each statement is left out.

Assertions are not mutated (static_assert checks the binding but is not part of it), and neither are hints to the
optimiser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from harness.mutation.headers import OTHER_ARCHITECTURE, Declaration, Header, Node
from harness.mutation.mutants import Edit, Mutant, numbered

CONSTANT, COMPARISON, ARITHMETIC, BIT, LOGIC, SIZE = "constant", "comparison", "arithmetic", "bit operator", "logic", "size"
STATEMENT, OPERAND, FIELD, FUNCTION, ORDER, LAYOUT = "statement", "operand", "field", "function", "memory order", "layout"

#: The replacements of an operator, by kind. "" leaves the right operand out.
_BINARY: dict[str, tuple[str, tuple[str, ...]]] = {
    "==": (COMPARISON, ("!=",)),
    "!=": (COMPARISON, ("==",)),
    "<": (COMPARISON, ("<=", ">=")),
    "<=": (COMPARISON, ("<", ">")),
    ">": (COMPARISON, (">=", "<=")),
    ">=": (COMPARISON, (">", "<")),
    "+": (ARITHMETIC, ("-",)),
    "-": (ARITHMETIC, ("+",)),
    "*": (ARITHMETIC, ("/",)),
    "/": (ARITHMETIC, ("*",)),
    "%": (ARITHMETIC, ("/",)),
    "&": (BIT, ("|", "")),
    "|": (BIT, ("&",)),
    "<<": (BIT, (">>",)),
    ">>": (BIT, ("<<",)),
    "&&": (LOGIC, ("||",)),
    "||": (LOGIC, ("&&",)),
    "+=": (ARITHMETIC, ("-=", "=")),
    "|=": (BIT, ("&=", "=")),
}
_UNARY = {"!": (LOGIC, ""), "~": (BIT, ""), "-": (ARITHMETIC, ""), "++": (ARITHMETIC, "--"), "--": (ARITHMETIC, "++")}

#: The next weaker memory order, and the access that uses it.
_WEAKER = {
    "std::memory_order_acquire": "std::memory_order_relaxed",
    "std::memory_order_release": "std::memory_order_relaxed",
    "std::memory_order_seq_cst": "std::memory_order_acq_rel",
    "load_acquire": "load_relaxed",
}
_OTHER_WIDTH = {"u8": "u16", "u16": "u32", "u32": "u64", "u64": "u32", "i32": "i64", "i64": "i32", "Op": "u16",
                "RestrictionOp": "u32"}

_NOT_STATEMENTS = (
    "DECL_STMT", "RETURN_STMT", "IF_STMT", "FOR_STMT", "DO_STMT", "BREAK_STMT", "COMPOUND_STMT", "NULL_STMT", "ASM_STMT",
)  # fmt: skip
_BODIES = ("COMPOUND_STMT", "IF_STMT", "FOR_STMT")
_HINT = "__builtin_unreachable"
_INTEGER = re.compile(r"(0[xX][0-9a-fA-F']+|[0-9][0-9']*)([uUlL]*)")
#: Enumerations whose values users see only by name: a change shows only in a comparison with another definition.
_SHARED_NAMES = ("Error", "Consumption")


@dataclass(frozen=True)
class _Variable:
    """A variable or parameter of a function."""

    name: str
    offset: int
    type: str
    block_end: int  # end of its scope


@dataclass(frozen=True)
class _Place:
    """Where the walk is."""

    header: Header
    scope: str
    constant: bool = False  # the compiler must know the value here
    may_be_evaluated: bool = False  # the compiler may, if the arguments are known
    variables: tuple[_Variable, ...] = ()  # of the function

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.header.text[node.start : node.end]


def generate(headers: Mapping[str, Header]) -> list[Mutant]:
    """Every generated mutant, in the order of the headers."""
    return numbered(mutant for header in headers.values() for mutant in _Generator(headers).of_header(header))


class _Generator:
    def __init__(self, headers: Mapping[str, Header]) -> None:
        nodes = [node for header in headers.values() for top in header.nodes for node in top.descendants()]
        self._uses: dict[tuple[str, int], list[tuple[str, Node]]] = {}
        for header in headers.values():
            for top in header.nodes:
                for node in top.descendants():
                    if node.kind == "DECL_REF_EXPR" and node.refers is not None:
                        self._uses.setdefault((node.refers.file, node.refers.offset), []).append((header.file, node))
        self._fields = _fields(nodes)
        self._functions = _functions(nodes)
        self._constants = _constants(headers)

    def of_header(self, header: Header) -> Iterator[Mutant]:
        for top in header.nodes:
            yield from self._walk(top, _Place(header, "", constant=header.file == OTHER_ARCHITECTURE))

    # --- the walk ----------------------------------------------------------------------------------------------------

    def _walk(self, node: Node, at: _Place) -> Iterator[Mutant]:
        if node.kind in ("STATIC_ASSERT", "UNEXPOSED_ATTR") or _is_hint(node, at):
            return
        if node.scope:
            at = _in_function(node, at)
        elif node.kind in ("STRUCT_DECL", "CLASS_DECL", "CLASS_TEMPLATE", "ENUM_DECL"):
            at = replace(at, scope=node.name)
        yield from self._mutants_of(node, at)
        if (at.header.file, _name_offset(node, at)) in self._constants and node.kind in ("VAR_DECL", "ENUM_CONSTANT_DECL"):
            return  # its whole value is mutated instead
        for child in node.children:
            if _is_mutable(node, child, at):
                yield from self._walk(child, replace(at, constant=at.constant or _must_be_constant(node, child, at)))

    def _mutants_of(self, node: Node, at: _Place) -> Iterator[Mutant]:
        match node.kind:
            case "BINARY_OPERATOR" | "COMPOUND_ASSIGNMENT_OPERATOR":
                yield from _binary(node, at)
            case "CALL_EXPR":
                yield from _call(node, at)
            case "UNARY_OPERATOR":
                yield from _unary(node, at)
            case "INTEGER_LITERAL":
                yield from _literal(node, at)
            case "CXX_BOOL_LITERAL_EXPR":
                yield from _bool(node, at)
            case "CXX_UNARY_EXPR":
                yield from _sizeof(node, at)
            case "DECL_REF_EXPR":
                yield from self._name(node, at)
            case "MEMBER_REF_EXPR":
                yield from self._member(node, at)
            case "VAR_DECL" | "ENUM_CONSTANT_DECL":
                yield from self._definition(node, at)
            case "STRUCT_DECL":
                yield from _layout(node, at)
        if node.kind in _BODIES:
            yield from _statements(node, at)
        if node.kind in ("IF_STMT", "CONDITIONAL_OPERATOR"):
            yield from _condition(node, at)

    # --- what names refer to -----------------------------------------------------------------------------------------

    def _name(self, node: Node, at: _Place) -> Iterator[Mutant]:
        text, refers = at.text(node), node.refers
        if text in _WEAKER:
            yield _expression(node, at, _WEAKER[text], ORDER)
        if refers is None:
            return
        key = (refers.file, refers.offset)
        variable = next((one for one in at.variables if one.offset == refers.offset), None)
        if variable is not None and refers.file == at.header.file:
            if other := _neighbour_variable(variable, node, at):
                yield _expression(node, at, other, OPERAND)
        elif refers.kind == "FUNCTION_DECL":
            if other := self._neighbour_function(refers, node, at):
                yield _expression(node, at, other, FUNCTION)
        elif key in self._constants:
            constant = self._constants[key]
            if constant.neighbour:
                qualifier = "".join(text.rpartition("::")[:2])
                yield _expression(node, at, qualifier + constant.neighbour, CONSTANT)
            if constant.is_flag:
                yield _expression(node, at, f"{constant.type}{{}}", CONSTANT)

    def _neighbour_function(self, this: Declaration, use: Node, at: _Place) -> str:
        """The next function of exactly the same type that is visible at this use, if any."""
        same = [
            other
            for other in self._functions.get(use.type, ())
            if other == this
            or (other.name != at.scope and (other.file != at.header.file or other.offset < use.start))
        ]
        return same[(same.index(this) + 1) % len(same)].name if len(same) > 1 else ""

    def _member(self, node: Node, at: _Place) -> Iterator[Mutant]:
        text = at.text(node)
        base, dot, name = text.rpartition(".")
        struct = node.children[0].type if node.children else at.scope.partition("::")[0]
        if other := self._fields.get((_last_name(struct), name)):
            yield _expression(node, at, base + dot + other, FIELD)

    def _definition(self, node: Node, at: _Place) -> Iterator[Mutant]:
        """A named constant with another value. Uses of it in the binding can be changed at run time."""
        constant = self._constants.get((at.header.file, _name_offset(node, at)))
        literal = next((child for child in node.descendants() if child.kind == "INTEGER_LITERAL"), None)
        if constant is None or literal is None:
            return
        value, suffix = _value(at.text(literal))
        other = f"{value + 1}{suffix}"
        uses = self._uses.get((at.header.file, _name_offset(node, at)), ())
        choices = tuple(Edit(file, use.start, use.end, f"static_cast<{constant.type}>({other})") for file, use in uses)
        yield _mutant(
            node, at, CONSTANT, f"`{node.name}` is {other}, not {at.text(literal)}",
            (Edit(at.header.file, literal.start, literal.end, other),),
            () if constant.type in _SHARED_NAMES else choices,
        )  # fmt: skip


# --- operators that look at one expression ---------------------------------------------------------------------------


def _call(node: Node, at: _Place) -> Iterator[Mutant]:
    if node.name.startswith("operator") and len(node.children) == 3:
        yield from _binary(node, at)
    for strong, weak in _WEAKER.items():
        if at.text(node).endswith(f".{strong}()"):
            yield _expression(node, at, at.text(node).replace(strong, weak), ORDER)


def _binary(node: Node, at: _Place) -> Iterator[Mutant]:
    left, right = node.children[0], node.children[-1]
    operator = at.header.text[left.end : right.start].strip()
    kind, others = _BINARY.get(operator, ("", ()))
    for other in others:
        text = f"{at.text(left)} {other} {at.text(right)}" if other else at.text(left)
        yield _expression(node, at, text, kind)


def _unary(node: Node, at: _Place) -> Iterator[Mutant]:
    operand = node.children[0]
    operator = at.header.text[node.start : operand.start].strip()
    if operator in _UNARY:
        kind, other = _UNARY[operator]
        yield _expression(node, at, other + at.text(operand), kind)


def _literal(node: Node, at: _Place) -> Iterator[Mutant]:
    value, suffix = _value(at.text(node))
    for other in {0: (1,), 1: (0, 2)}.get(value, (value + 1, 0)):
        yield _expression(node, at, f"{other}{suffix}", CONSTANT)


def _bool(node: Node, at: _Place) -> Iterator[Mutant]:
    if at.text(node) in ("true", "false"):  # others come from a macro
        yield _expression(node, at, "false" if at.text(node) == "true" else "true", CONSTANT)


def _sizeof(node: Node, at: _Place) -> Iterator[Mutant]:
    if at.text(node).startswith("sizeof"):
        yield _expression(node, at, f"({at.text(node)} / 2)", SIZE)


def _condition(node: Node, at: _Place) -> Iterator[Mutant]:
    condition = _condition_of(node, at)
    if condition is None or condition.kind == "CXX_BOOL_LITERAL_EXPR":
        return
    at = replace(at, constant=at.constant or _is_constexpr_if(node, at))
    for value in ("true", "false"):
        yield _expression(condition, at, value, LOGIC)


def _statements(node: Node, at: _Place) -> Iterator[Mutant]:
    """Each expression statement in this block, or as the body of this if or for, left out."""
    children = node.children if node.kind == "COMPOUND_STMT" else node.children[1:]
    condition = _condition_of(node, at)
    for child in children:
        alone = child is not condition and (node.kind != "FOR_STMT" or child is node.children[-1])
        if not alone or child.kind in _NOT_STATEMENTS or not child.kind.endswith(("EXPR", "OPERATOR")):
            continue
        edit = Edit(at.header.file, child.start, child.end, "", statement=True)
        if at.header.text[child.end : child.end + 1] == ";" and not at.text(child).startswith("URING_ASSERT"):
            yield _mutant(child, at, STATEMENT, f"`{_short(at.text(child))}` is left out", (edit,), (edit,))


def _layout(node: Node, at: _Place) -> Iterator[Mutant]:
    """The fields of a kernel struct: each with another width, each exchanged with the next."""
    fields = [child for child in node.children if child.kind == "FIELD_DECL"]
    if not at.header.file.startswith("abi"):
        return
    widened = set()
    for this in fields:
        named = next((child for child in this.children if child.kind == "TYPE_REF"), None)
        old = at.text(named) if named else ""
        if named and old in _OTHER_WIDTH and named.start not in widened:
            widened.add(named.start)
            edit = Edit(at.header.file, named.start, named.end, _OTHER_WIDTH[old])
            yield _mutant(this, at, LAYOUT, f"`{this.name}` is {_OTHER_WIDTH[old]}, not {old}", (edit,))
    for this, other in zip(fields, fields[1:], strict=False):
        edits = tuple(
            Edit(at.header.file, offset, offset + len(old.name), new.name)
            for old, new in ((this, other), (other, this))
            for offset in (_name_offset(old, at),)
        )
        yield _mutant(this, at, LAYOUT, f"`{this.name}` and `{other.name}` are exchanged", edits)


# --- tables ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Constant:
    type: str
    neighbour: str  # the next constant of the same kind
    is_flag: bool


def _constants(headers: Mapping[str, Header]) -> dict[tuple[str, int], _Constant]:
    """The named constants by place of declaration. A neighbour is the next of the same enumeration or type."""
    found: dict[tuple[str, int], _Constant] = {}
    for header in headers.values():
        at = _Place(header, "")
        for top in header.nodes:
            for node in top.descendants():
                if node.kind in ("NAMESPACE", "ENUM_DECL"):
                    group = [child for child in node.children if _is_constant(child, at)]
                    for this in group:
                        same = [other for other in group if other.type == this.type]
                        found[header.file, _name_offset(this, at)] = _Constant(
                            type=_last_name(this.type),
                            neighbour=same[(same.index(this) + 1) % len(same)].name if len(same) > 1 else "",
                            is_flag=this.kind == "VAR_DECL",
                        )
    return found


def _is_constant(node: Node, at: _Place) -> bool:
    return node.kind == "ENUM_CONSTANT_DECL" or (node.kind == "VAR_DECL" and "constexpr" in _head(node, at))


def _fields(nodes: list[Node]) -> dict[tuple[str, str], str]:
    """The next field of the same type, by the names of the struct and the field."""
    found = {}
    for node in nodes:
        if node.kind in ("STRUCT_DECL", "CLASS_DECL", "CLASS_TEMPLATE"):
            fields = [child for child in node.children if child.kind == "FIELD_DECL"]
            for this in fields:
                same = [other.name for other in fields if other.type == this.type]
                if len(same) > 1:
                    found[node.name, this.name] = same[(same.index(this.name) + 1) % len(same)]
    return found


def _functions(nodes: list[Node]) -> dict[str, list[Declaration]]:
    """The functions that are used by name, grouped by type."""
    found: dict[str, set[Declaration]] = {}
    for node in nodes:
        if node.kind == "DECL_REF_EXPR" and node.refers is not None and node.refers.kind == "FUNCTION_DECL":
            found.setdefault(node.type, set()).add(node.refers)
    return {kind: sorted(same, key=lambda one: (one.file, one.offset)) for kind, same in found.items()}


# --- predicates ------------------------------------------------------------------------------------------------------


def _in_function(node: Node, at: _Place) -> _Place:
    is_constexpr = "constexpr" in at.text(node).partition("{")[0]
    return replace(at, scope=node.scope, variables=tuple(_variables(node, node.end, at)), may_be_evaluated=is_constexpr)


def _variables(node: Node, block_end: int, at: _Place) -> Iterator[_Variable]:
    for child in node.children:
        if child.kind in ("PARM_DECL", "VAR_DECL") and child.name:
            kind = child.type.removeprefix("const ")
            yield _Variable(child.name, _name_offset(child, at), kind, block_end)
        yield from _variables(child, child.end if child.kind in (*_BODIES, "LAMBDA_EXPR") else block_end, at)


def _neighbour_variable(this: _Variable, use: Node, at: _Place) -> str:
    """The next variable of the same type that is already in scope, if any."""
    same = [
        other
        for other in at.variables
        if other.type == this.type and other.offset < use.start and use.end <= other.block_end
    ]
    return same[(same.index(this) + 1) % len(same)].name if len(same) > 1 else ""


def _is_mutable(node: Node, child: Node, at: _Place) -> bool:
    """Whether the walk enters this child: not types, and not the constraints of a template."""
    if node.scope:
        follows_a_field = any(
            one.kind == "MEMBER_REF" and two is child for one, two in zip(node.children, node.children[1:], strict=False)
        )
        return child.kind in ("COMPOUND_STMT", "PARM_DECL") or follows_a_field
    if node.kind == "PARM_DECL":
        return "=" in at.header.text[node.start : child.start]
    return not child.kind.endswith("_REF") and child.end > child.start


def _must_be_constant(node: Node, child: Node, at: _Place) -> bool:
    if node.kind in ("ENUM_CONSTANT_DECL", "ASM_STMT"):  # an operand of the system call must be the register itself
        return True
    if node.kind == "VAR_DECL" and "constexpr" in _head(node, at) and "::" not in at.scope and not at.variables:
        return True
    if node.kind == "FIELD_DECL":
        return "=" not in at.header.text[node.start : child.start]  # the length of an array
    return _is_constexpr_if(node, at) and child is _condition_of(node, at)


def _is_constexpr_if(node: Node, at: _Place) -> bool:
    return node.kind == "IF_STMT" and at.text(node).startswith("if constexpr")


def _is_hint(node: Node, at: _Place) -> bool:
    """Whether this is only a hint to the optimiser."""
    return node.kind == "IF_STMT" and node.children[-1].kind == "CALL_EXPR" and at.text(node.children[-1]).startswith(_HINT)


def _condition_of(node: Node, at: _Place) -> Node | None:
    """The condition of a ?: or an if (including one with an initialiser, and one from URING_ASSERT)."""
    if node.kind == "CONDITIONAL_OPERATOR":
        return node.children[0]
    if node.kind != "IF_STMT":
        return None
    if at.text(node).startswith("URING_ASSERT"):
        return node.children[0].children[0].children[0]  # below !(...)
    return next((child for child in node.children if child.kind not in ("VAR_DECL", "DECL_STMT")), None)


def _head(node: Node, at: _Place) -> str:
    return at.text(node).partition("=")[0]


def _name_offset(node: Node, at: _Place) -> int:
    found = re.search(rf"\b{re.escape(node.name)}\b", at.text(node))
    return node.start + found.start() if found else -1


def _last_name(type_name: str) -> str:
    return type_name.removeprefix("const ").rstrip(" &*").rpartition("::")[2].partition("<")[0]


def _value(literal: str) -> tuple[int, str]:
    found = _INTEGER.fullmatch(literal)
    assert found, literal
    return int(found[1].replace("'", ""), 0), found[2]


def _expression(node: Node, at: _Place, text: str, kind: str) -> Mutant:
    edit = Edit(at.header.file, node.start, node.end, text)
    change = f"`{_short(at.text(node))}` becomes `{_short(text)}`"
    return _mutant(node, at, kind, change, (edit,), () if at.constant else (edit,))


def _mutant(
    node: Node, at: _Place, kind: str, change: str, edits: tuple[Edit, ...], choices: tuple[Edit, ...] = ()
) -> Mutant:
    line = at.header.line_at(node.start)
    return Mutant(at.header.file, at.scope, line, change, kind, edits, choices, may_be_evaluated=at.may_be_evaluated)


def _short(text: str) -> str:
    return " ".join(text.split())
