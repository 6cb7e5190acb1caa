"""The verbs, joined, and the handling of errors."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sakedge.cli import streams
from sakedge.cli.output import put, remark, say
from sakedge.cli.verbs import GROUPS, VERBS
from sakedge.errors import OptionError, SakedgeError, UnknownNameError

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
            remark(f"sakedge: {error}", "error")
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
    remark(f"{command}: {' '.join(message.split())}{stop} See `{command} --help`.", "error")
    return USAGE


def _tell_lost(error: OSError) -> int:
    """A reader that has closed the pipe wants no more, and no word about it."""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    remark(f"sakedge: cannot write to standard output: {error.strerror or error}", "error")
    return FAILURE
