"""The verbs of the command line, and where each is."""

from __future__ import annotations

VERBS: dict[str, str] = {
    "predict": "sakedge.cli.predict:predict",
    "inspect": "sakedge.cli.inspect:inspect",
    "convert": "sakedge.cli.convert:convert",
    "export": "sakedge.cli.export:export",
    "compile": "sakedge.cli.compile:compile_student",
    "quantize": "sakedge.cli.quantize:quantize",
    "evaluate": "sakedge.cli.evaluate:evaluate",
    "advise": "sakedge.cli.advise:advise",
    "recheck": "sakedge.cli.recheck:recheck",
    "verify": "sakedge.cli.verify:verify",
    "benchmark": "sakedge.cli.benchmark:benchmark",
    "doctor": "sakedge.cli.doctor:doctor",
    "demo": "sakedge.cli.demo:demo",
}
"""Verb → `module:function`, in the order of the help."""

GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "keys": (
        "Keys that sign, and keys that are trusted.",
        {
            "new": "sakedge.cli.keys.new:new",
            "list": "sakedge.cli.keys.trusted:list_keys",
            "trust": "sakedge.cli.keys.trusted:trust",
            "revoke": "sakedge.cli.keys.trusted:revoke",
            "sign": "sakedge.cli.keys.signing:sign",
            "verify": "sakedge.cli.keys.signing:verify",
            "encrypt": "sakedge.cli.keys.encrypt:encrypt",
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
    "service": (
        "A line as a service of this machine.",
        {
            "install": "sakedge.cli.service.install:install",
            "uninstall": "sakedge.cli.service.install:uninstall",
            "show": "sakedge.cli.service.show:show",
            "run": "sakedge.cli.service.run:run",
        },
    ),
    "adapter": (
        "Adapters for life: packs, deltas, the store of a device.",
        {
            "extract": "sakedge.cli.adapter.extract:extract",
            "inspect": "sakedge.cli.adapter.inspect:inspect",
            "pack": "sakedge.cli.adapter.pack:pack",
            "diff": "sakedge.cli.adapter.diff:diff",
            "patch": "sakedge.cli.adapter.patch:patch",
            "init": "sakedge.cli.adapter.init:init",
            "add": "sakedge.cli.adapter.add:add",
            "list": "sakedge.cli.adapter.list:list",
            "activate": "sakedge.cli.adapter.activate:activate",
            "deactivate": "sakedge.cli.adapter.deactivate:deactivate",
            "rollback": "sakedge.cli.adapter.rollback:rollback",
            "gc": "sakedge.cli.adapter.gc:gc",
            "export": "sakedge.cli.adapter.export:export",
        },
    ),
    "bundle": (
        "Bundles: all that a box without internet needs, locked and signed.",
        {
            "make": "sakedge.cli.bundle.make:make",
            "verify": "sakedge.cli.bundle.verify:verify",
            "vex": "sakedge.cli.bundle.vex:vex",
            "targets": "sakedge.cli.bundle.targets:targets",
        },
    ),
}
"""Group → its help, and its verbs as in `VERBS`."""
