"""The verbs, joined, and the handling of errors."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sakedge.cli.output import remark, say
from sakedge.errors import OptionError, SakedgeError, UnknownNameError

VERBS: dict[str, str] = {
    "predict": "sakedge.cli.predict:predict",
    "inspect": "sakedge.cli.inspect:inspect",
    "convert": "sakedge.cli.convert:convert",
    "verify": "sakedge.cli.verify:verify",
    "benchmark": "sakedge.cli.benchmark:benchmark",
    "doctor": "sakedge.cli.doctor:doctor",
    "demo": "sakedge.cli.demo:demo",
}
"""Verb → `module:function`, in the order of the help."""

FAILURE, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 64, 130, 141

# Newer versions of typer bundle a copy of click; typer's public errors lead to either.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class Guarded(TyperGroup):
    """Turns every error that is meant for the user into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the verb."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except SakedgeError as error:
            remark(f"sakedge: {error}")
            usage = isinstance(error, (OptionError, UnknownNameError))
            raise typer.Exit(USAGE if usage else FAILURE) from error
        except BrokenPipeError as error:
            # The reader has closed the pipe; Python would complain again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from error
        except KeyboardInterrupt as error:
            remark("sakedge: interrupted")
            raise typer.Exit(INTERRUPTED) from error
        return result

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Runs a command line. In standalone mode the process ends with the exit code."""
        try:
            result = super().main(
                *args, **{**extra, "prog_name": "sakedge", "standalone_mode": False}
            )
            code = result if isinstance(result, int) else 0
        except _UsageError as error:
            code = _tell_usage(error)
        if standalone_mode:
            sys.exit(code)
        return code


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
    for verb, place in VERBS.items():
        module, _, function = place.partition(":")
        app.command(verb)(getattr(import_module(module), function))
    return app


def _common(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from sakedge import __version__

        say(f"sakedge {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say(context.get_help())
        raise typer.Exit(USAGE)


def _tell_usage(error: Exception) -> int:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "sakedge"
    stop = "" if message.endswith((".", "?")) else "."
    remark(f"{command}: {message}{stop} See `{command} --help`.")
    return USAGE
