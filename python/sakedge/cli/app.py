"""The verbs, joined, and the handling of errors."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sakedge.cli import streams
from sakedge.cli.output import put, remark, say
from sakedge.errors import OptionError, SakedgeError, UnknownNameError

VERBS: dict[str, str] = {
    "predict": "sakedge.cli.predict:predict",
    "inspect": "sakedge.cli.inspect:inspect",
    "convert": "sakedge.cli.convert:convert",
    "export": "sakedge.cli.export:export",
    "quantize": "sakedge.cli.quantize:quantize",
    "evaluate": "sakedge.cli.evaluate:evaluate",
    "advise": "sakedge.cli.advise:advise",
    "verify": "sakedge.cli.verify:verify",
    "benchmark": "sakedge.cli.benchmark:benchmark",
    "doctor": "sakedge.cli.doctor:doctor",
    "demo": "sakedge.cli.demo:demo",
}
"""Verb → `module:function`, in the order of the help."""

GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "adapter": ("Adapters for life: packs, deltas, the store of a device.", {}),
    "keys": (
        "Keys that sign, and keys that are trusted.",
        {
            "new": "sakedge.cli.keys.new:new",
            "list": "sakedge.cli.keys.trusted:list_keys",
            "trust": "sakedge.cli.keys.trusted:trust",
            "revoke": "sakedge.cli.keys.trusted:revoke",
            "sign": "sakedge.cli.keys.signing:sign",
            "verify": "sakedge.cli.keys.signing:verify",
        },
    ),
    "repo": (
        "A repository that a site distributes to its boxes.",
        {
            "init": "sakedge.cli.repo.publishing:init",
            "publish": "sakedge.cli.repo.publishing:publish",
            "revoke": "sakedge.cli.repo.publishing:revoke",
            "rotate": "sakedge.cli.repo.publishing:rotate",
            "refresh": "sakedge.cli.repo.publishing:refresh",
            "show": "sakedge.cli.repo.showing:show",
            "fetch": "sakedge.cli.repo.fetching:fetch",
            "forget-time": "sakedge.cli.repo.fetching:forget_time",
        },
    ),
    "audit": (
        "The audit log: what was done, and whether the record is whole.",
        {
            "show": "sakedge.cli.audit.show:show",
            "verify": "sakedge.cli.audit.verify:verify",
            "export": "sakedge.cli.audit.export:export",
            "checkpoint": "sakedge.cli.audit.checkpoint:checkpoint",
        },
    ),
}
"""Group → its help, and its verbs as in `VERBS`."""

SUCCESS, FAILURE, WARNING, USAGE, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 64, 130, 141

# Newer versions of typer bundle a copy of click; typer's public errors lead to either.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class Guarded(TyperGroup):
    """Turns everything that may end a verb into an exit code and at most one line."""

    def main(self, *given: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Runs a command line. In standalone mode the process ends with the exit code."""
        arguments = given[0] if given else extra.get("args")
        streams.prepare()
        code = self._run(list(sys.argv[1:] if arguments is None else arguments))
        lost = streams.settle()
        if lost is not None and code in (SUCCESS, WARNING):
            code = _tell_lost(lost)
        if standalone_mode:
            sys.exit(code)
        return code

    def _run(self, arguments: list[str]) -> int:
        try:
            with self.make_context("sakedge", arguments) as context:
                self.invoke(context)
        except typer.Exit as end:
            return end.exit_code
        except _UsageError as error:
            return _tell_usage(error)
        except SakedgeError as error:
            remark(f"sakedge: {error}")
            return USAGE if isinstance(error, (OptionError, UnknownNameError)) else FAILURE
        except OSError as error:  # of standard output; files have errors of ours
            return _tell_lost(error)
        except SystemExit:  # what rich makes of a closed pipe
            return BROKEN_PIPE
        except (KeyboardInterrupt, typer.Abort):
            remark("sakedge: interrupted")
            return INTERRUPTED
        return SUCCESS


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        cls=Guarded,
        help="Runs SAK multi-task vision students: predict, understand, verify, measure.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Exit codes: 0 fine, 1 failure, 2 warning, 64 usage.",
    )
    app.callback(invoke_without_command=True)(_common)
    _add(app, VERBS)
    for name, (about, verbs) in GROUPS.items():
        if not verbs:
            continue
        group = typer.Typer(help=about, no_args_is_help=True)
        _add(group, verbs)
        app.add_typer(group, name=name)
    return app


def _add(app: typer.Typer, verbs: dict[str, str]) -> None:
    for verb, place in verbs.items():
        module, _, function = place.partition(":")
        app.command(verb)(getattr(import_module(module), function))


def _common(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from sakedge import __version__

        say(f"sakedge {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        put(context.get_help())
        raise typer.Exit(USAGE)


def _tell_usage(error: Exception) -> int:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "sakedge"
    stop = "" if message.endswith((".", "?")) else "."
    remark(f"{command}: {' '.join(message.split())}{stop} See `{command} --help`.")
    return USAGE


def _tell_lost(error: OSError) -> int:
    """A reader that has closed the pipe wants no more, and no word about it."""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    remark(f"sakedge: cannot write to standard output: {error.strerror or error}")
    return FAILURE
