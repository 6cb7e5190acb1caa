"""The same line for sites that run containers: a Containerfile, and a manifest for Kubernetes."""

from __future__ import annotations

import json
import math
from ipaddress import ip_network
from typing import Any

from sakedge.service.line import Line
from sakedge.service.unit import PYTHON, WATCHDOG_SECONDS, Service

UID = 10001
BEAT = "/run/sakedge/beat"
STATE, CACHE, CONFIG = "/var/lib/sakedge", "/var/cache/sakedge", "/etc/sakedge/line.json"
_ALIVE = f'test -n "$(find {BEAT} -newermt "-{WATCHDOG_SECONDS} seconds")"'

CONTAINERFILE = f"""\
# Written by `sakedge service show --format container`. Build it where the wheels of a bundle lie:
#   podman build --network=none -t sakedge:latest .
# Any image with Python 3.10 or newer will do as a base.
ARG BASE=docker.io/library/python:3.12-slim
FROM ${{BASE}}
COPY wheels/ /tmp/wheels/
RUN python3 -m venv /opt/sakedge \\
 && /opt/sakedge/bin/pip install --no-cache-dir --no-index \\
      --find-links /tmp/wheels "sakedge[all]" \\
 && rm -rf /tmp/wheels \\
 && mkdir -p /etc/sakedge {STATE} {CACHE} /run/sakedge \\
 && chown {UID}:{UID} {STATE} {CACHE} /run/sakedge \\
 && chmod 700 {CACHE}
ENV SAKEDGE_CACHE={CACHE}
USER {UID}:{UID}
WORKDIR {STATE}
STOPSIGNAL SIGTERM
ENTRYPOINT {json.dumps(["/opt/sakedge/bin/python", *PYTHON])}
CMD ["service", "run", "{CONFIG}", "--beat", "{BEAT}"]
"""


def kubernetes(service: Service, image: str) -> str:
    """A manifest: the line's file, its network, and one pod, as a list in JSON, which is YAML."""
    objects = [_config(service), _network_policy(service), _deployment(service, image)]
    manifest = {"apiVersion": "v1", "kind": "List", "items": objects}
    return json.dumps(manifest, indent=2)


def _meta(service: Service) -> dict[str, Any]:
    return {"name": f"sakedge-{service.name}", "labels": _labels(service)}


def _labels(service: Service) -> dict[str, str]:
    return {"app.kubernetes.io/name": "sakedge", "app.kubernetes.io/instance": service.name}


def _config(service: Service) -> dict[str, Any]:
    line = service.line.model_dump(by_alias=True, exclude_unset=True)
    data = {"line.json": json.dumps(line, indent=2)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(service), "data": data}


def _network_policy(service: Service) -> dict[str, Any]:
    """Nothing may come in; out goes only what the line says."""
    network = service.line.network
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": _labels(service)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [{}] if network is True else [],
    }
    if isinstance(network, list):
        blocks = [{"ipBlock": {"cidr": str(ip_network(each))}} for each in network]
        spec["egress"] = [{"to": blocks}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _meta(service),
        "spec": spec,
    }


def _deployment(service: Service, image: str) -> dict[str, Any]:
    line = service.line
    mounts = {"config": "/etc/sakedge", "state": STATE, "cache": CACHE, "run": "/run/sakedge"}
    container = {
        "name": "line",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["service", "run", CONFIG, "--beat", BEAT],
        "resources": _resources(line),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # The first beat comes after the first inference; loading may compile for a device.
        "startupProbe": {**_probe(f"test -e {BEAT}"), "periodSeconds": 5, "failureThreshold": 180},
        "livenessProbe": {**_probe(_ALIVE), "periodSeconds": 20, "failureThreshold": 3},
        "readinessProbe": {**_probe(_ALIVE), "periodSeconds": 20, "failureThreshold": 1},
        "volumeMounts": [
            {"name": name, "mountPath": path, **({"readOnly": True} if name == "config" else {})}
            for name, path in {**mounts, "tmp": "/tmp", "students": _folder(line)}.items()
        ],
    }
    claims = {"state": f"sakedge-{service.name}-state", "students": "sakedge-students"}
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "fsGroup": UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": f"sakedge-{service.name}"}},
            *({"name": k, "persistentVolumeClaim": {"claimName": v}} for k, v in claims.items()),
            # Of a claim fsGroup would open the cache to a group, and then it is not used.
            *({"name": name, "emptyDir": {}} for name in ("cache", "run", "tmp")),
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(service),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},  # two would share one camera
            "selector": {"matchLabels": _labels(service)},
            "template": {"metadata": {"labels": _labels(service)}, "spec": pod},
        },
    }


def _resources(line: Line) -> dict[str, Any]:
    """Whole processors, as the thread policy counts them, and as much granted as allowed."""
    granted = {
        "cpu": str(math.ceil(line.cpus or line.threads or 2)),
        "memory": f"{line.memory_mb or 2048}Mi",
    }
    return {"requests": granted, "limits": granted}


def _folder(line: Line) -> str:
    return line.student.rpartition("/")[0] or "/"


def _probe(command: str) -> dict[str, Any]:
    return {"exec": {"command": ["sh", "-c", command]}, "timeoutSeconds": 5}
