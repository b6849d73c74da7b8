"""The arrows between the rooms, read from the source: CONTRIBUTING.md has them as a table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = ("appliance", "daemon", "web")

_PURE = {"daemon.identify", "daemon.classify", "daemon.flow", "daemon.decode"}  # the store keeps what they say
_STORE = {"daemon.store"} | _PURE
ALLOWED: dict[str, set[str]] = {  # room -> rooms that it may import besides itself
    "daemon": set(),
    "daemon.decode": set(),
    "daemon.flow": {"daemon.decode"},
    "daemon.identify": {"daemon.flow", "daemon.decode"},
    "daemon.classify": {"daemon.flow", "daemon.decode"},
    "daemon.store": _PURE,
    "daemon.report": _STORE,
    "daemon.ingest": {"daemon.report"} | _STORE,
    "daemon.capture": {"daemon.decode"},
}
ALLOWED["web"] = set(ALLOWED)
ALLOWED["appliance"] = set(ALLOWED)

OUTSIDE_WORLD = {
    "asyncio",
    "glob",
    "io",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "shutil",
    "signal",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}  # what decode must not know
PURE_SOCKET = {"AF_INET", "AF_INET6", "inet_ntoa", "inet_ntop"}  # text forms of addresses: no I/O in them
MUTATORS = {"add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a line imports; `target` is the longest part of it that is a module of ours, or as written."""

    module: str
    line: int
    target: str
    types_only: bool


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, for every module of ours."""
    found = {}
    for program in PROGRAMS:
        for path in sorted((ROOT / program).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text("utf-8"), str(modules()[module]))


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """All of its tree."""
    return tuple(ast.walk(tree(module)))


def where(module: str, node: ast.AST | int) -> str:
    line = node if isinstance(node, int) else getattr(node, "lineno", 0)
    return f"{modules()[module].relative_to(ROOT)}:{line}"


def imports(module: str) -> Iterator[Import]:
    typed = {
        id(inner)
        for node in nodes(module)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes(module):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(module, node.lineno, ours(name.name), id(node) in typed)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{where(module, node)}: relative import; rooms are named in full"
            for name in node.names:
                yield Import(module, node.lineno, ours(f"{node.module}.{name.name}"), id(node) in typed)


def ours(dotted: str) -> str:
    name = dotted
    while name:
        if name in modules():
            return name
        name = name.rpartition(".")[0]
    return dotted


def room(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "daemon" and len(parts) > 1 else parts[0]


def test_every_room_has_a_rule() -> None:
    assert {room(module) for module in modules()} <= set(ALLOWED)


def test_imports_go_one_way() -> None:
    wrong = [
        f"{where(found.module, found.line)}: {room(found.module)} must not import {found.target}"
        for module in modules()
        for found in imports(module)
        if found.target in modules() and room(found.target) not in ALLOWED[room(module)] | {room(module)}
    ]
    assert not wrong, "\n".join(wrong)


def test_no_import_cycle() -> None:
    # Two modules of a room may name each other's types; that is one vocabulary, not a cycle of work.
    graph = {
        module: {i.target for i in imports(module) if i.target in modules() and not i.types_only} - {module}
        for module in modules()
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, "cycle: " + " -> ".join((*path[path.index(module) :], module))
        if module in done:
            return
        for target in sorted(graph[module]):
            visit(target, (*path, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def decode_modules() -> list[str]:
    return [module for module in modules() if room(module) == "daemon.decode"]


@pytest.mark.parametrize("module", decode_modules())
def test_decode_knows_no_outside_world(module: str) -> None:
    wrong = []
    for found in imports(module):
        top, _, name = found.target.partition(".")
        if top in OUTSIDE_WORLD or (top == "socket" and name and name not in PURE_SOCKET):
            wrong.append(f"{where(module, found.line)}: {found.target}")
    for node in nodes(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "socket":
            if node.attr not in PURE_SOCKET:
                wrong.append(f"{where(module, node)}: socket.{node.attr}")
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("open", "input", "print")
        ):
            wrong.append(f"{where(module, node)}: {node.func.id}()")
    assert not wrong, "\n".join(wrong)


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return name in {"Counter", "OrderedDict", "bytearray", "defaultdict", "deque", "dict", "list", "set"}
    return isinstance(value, (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Set, ast.SetComp))


def mutable_names(module: str) -> dict[str, ast.stmt]:
    """Names that the module binds, at its top level, to something that can be written into."""
    found: dict[str, ast.stmt] = {}
    for node in tree(module).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if targets and isinstance(node, (ast.Assign, ast.AnnAssign)) and is_mutable(node.value):
            found.update({target.id: node for target in targets if isinstance(target, ast.Name)})
    return found


def written_in_functions(module: str, names: set[str]) -> Iterator[str]:
    """Where a function of the module writes into one of these names of its top level."""
    for function in nodes(module):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        local = {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        local |= {argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)}
        for node in ast.walk(function):
            target: ast.expr | None = None
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
                target = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
                target = node.func.value
            if isinstance(target, ast.Name) and target.id in names - local:
                yield f"{where(module, node)}: {function.name}() writes into {target.id}"


def test_no_module_level_state() -> None:
    wrong = []
    for module in modules():
        names = mutable_names(module)
        wrong += [
            f"{where(module, node)}: {name} is mutable and not named as a constant"
            for name, node in names.items()
            if not name.startswith("__") and name != name.upper()
        ]
        wrong += written_in_functions(module, set(names))
        wrong += [f"{where(module, node)}: global" for node in nodes(module) if isinstance(node, ast.Global)]
    assert not wrong, "\n".join(wrong)


def test_no_dangerous_calls() -> None:
    wrong = []
    for module in modules():
        wrong += [
            f"{where(module, found.line)}: {found.target}"
            for found in imports(module)
            if found.target.partition(".")[0] in ("pickle", "cPickle", "dill", "marshal", "shelve")
        ]
        for node in nodes(module):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile", "__import__"):
                wrong.append(f"{where(module, node)}: {node.func.id}()")
            if any(
                k.arg == "shell" and not (isinstance(k.value, ast.Constant) and not k.value.value)
                for k in node.keywords
            ):
                wrong.append(f"{where(module, node)}: shell=")
    assert not wrong, "\n".join(wrong)
