"""The verbs, joined, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
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

FAILURE, WARNING, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 64, 130, 141

# typer brings its own copy of click from some version on; its public errors lead to either.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class Guarded(TyperGroup):
    """Turns every error that is meant for a person into one line and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs a command line. In standalone mode the process ends with the exit code."""
        try:
            code = super().main(
                args=args,
                prog_name=prog_name or "sakedge",
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
            sys.stdout.flush()
        except SakedgeError as error:
            remark(f"sakedge: {error}")
            code = USAGE if isinstance(error, (OptionError, UnknownNameError)) else FAILURE
        except _UsageError as error:
            code = _tell_usage(error)
        except BrokenPipeError:
            # Whoever read our output has seen enough; Python would complain at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = BROKEN_PIPE
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        code = code if isinstance(code, int) else 0
        if code == INTERRUPTED:
            remark("sakedge: interrupted")
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
    remark(f"{command}: {message} See `{command} --help`.")
    return USAGE
