"""The manifests of a line: by Kubernetes' own schemas, and by what a site would ask of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from tests.service.conftest import MakeLine
from tests.support.command_line import Run

from sakedge.service.line import Line


def _manifest(run: Run, line: object) -> dict[str, Any]:
    shown = run("service", "show", line, "--format", "kubernetes", "--image", "plant/sakedge:1")
    assert shown.exit_code == 0, shown.output
    listed = json.loads(shown.stdout)
    return {each["kind"]: each for each in listed["items"]}


@pytest.mark.parametrize("network", [False, True, ["10.0.3.17", "fd00::/8"]], ids=str)
def test_every_object_is_valid_by_its_schema(
    network: object, run: Run, make_line: MakeLine
) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    manifest = _manifest(run, make_line(network=network, cpus=2, memory_mb=1024))
    assert sorted(manifest) == ["ConfigMap", "Deployment", "NetworkPolicy"]
    for each in manifest.values():
        validate.validate(each, "1.30", strict=True)


def test_a_pod_has_no_rights_a_read_only_root_and_what_the_threads_need(
    run: Run, make_line: MakeLine
) -> None:
    manifest = _manifest(run, make_line(cpus=3.5, memory_mb=1024))
    pod = manifest["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # A fraction of a processor would throttle the last thread in each period.
    assert container["resources"]["limits"] == {"cpu": "4", "memory": "1024Mi"}
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == {each["name"] for each in pod["volumes"]}


def test_nothing_comes_in_and_out_goes_what_the_line_says(run: Run, make_line: MakeLine) -> None:
    for network, out in (
        (False, []),
        (["10.0.3.17"], [{"to": [{"ipBlock": {"cidr": "10.0.3.17/32"}}]}]),
    ):
        spec = _manifest(run, make_line(network=network))["NetworkPolicy"]["spec"]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert (spec["ingress"], spec["egress"]) == ([], out)


def test_the_pod_gets_the_line_that_was_written(run: Run, make_line: MakeLine) -> None:
    path = make_line(json=True, batch=2)
    carried = json.loads(_manifest(run, path)["ConfigMap"]["data"]["line.json"])
    assert carried == json.loads(path.read_text())
    assert Line.model_validate(carried).json_lines


def test_the_probe_is_alive_only_after_a_beat_of_the_last_minute(
    run: Run, make_line: MakeLine, tmp_path: Any
) -> None:
    pod = _manifest(run, make_line())["Deployment"]["spec"]["template"]["spec"]
    shell, option, command = pod["containers"][0]["livenessProbe"]["exec"]["command"]
    beat = tmp_path / "beat"
    command = command.replace("/run/sakedge/beat", str(beat))

    def alive() -> bool:
        return subprocess.run([shell, option, command], capture_output=True).returncode == 0

    assert not alive()
    beat.touch()
    assert alive()
    subprocess.run([str(shutil.which("touch")), "-d", "-90 seconds", beat], check=True)
    assert not alive()


def test_the_containerfile_runs_as_nobody_in_particular_and_offline(
    run: Run, make_line: MakeLine
) -> None:
    shown = run("service", "show", make_line(), "--format", "container").stdout
    lines = shown.splitlines()
    assert any(line.startswith("USER 10001:10001") for line in lines)
    assert "--no-index" in shown
    last = [line for line in lines if line.startswith(("ENTRYPOINT", "CMD"))]
    entry, arguments = (json.loads(line.partition(" ")[2]) for line in last)
    assert entry[1] == "-I"  # nothing of the folder that it may write to is imported
    assert [*entry, *arguments][-7:-3] == ["-m", "sakedge", "service", "run"]
