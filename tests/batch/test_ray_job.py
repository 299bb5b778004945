"""The job file for KubeRay: what can be checked without Kubernetes."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from recognizer.batch.sizing import WORKER_BYTES
from recognizer.cli import _parser
from tests.support.environment import ROOT

FIELDS = {
    "spec": {"entrypoint", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "rayClusterSpec"},
    "rayClusterSpec": {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"},
    "headGroupSpec": {"rayStartParams", "template"},
    "workerGroupSpecs": {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"},
}
"""Those that are used, as KubeRay's reference of ray.io/v1 spells them."""


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    job = yaml.safe_load((ROOT / "deploy" / "ray-job.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    found: dict[str, Any] = job["spec"]
    return found


def pods(spec: dict[str, Any]) -> list[dict[str, Any]]:
    cluster = spec["rayClusterSpec"]
    return [one["template"]["spec"] for one in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def test_fields_are_those_of_kuberay(spec: dict[str, Any]) -> None:
    cluster = spec["rayClusterSpec"]
    assert set(spec) == FIELDS["spec"]
    assert set(cluster) == FIELDS["rayClusterSpec"]
    assert set(cluster["headGroupSpec"]) == FIELDS["headGroupSpec"]
    assert all(set(group) == FIELDS["workerGroupSpecs"] for group in cluster["workerGroupSpecs"])
    assert cluster["authOptions"] == {"mode": "token"}


def test_ray_is_the_one_of_the_requirements(spec: dict[str, Any]) -> None:
    (pinned,) = re.findall(r"^ray==(\S+)", (ROOT / "requirements-ray.txt").read_text(), re.MULTILINE)
    assert spec["rayClusterSpec"]["rayVersion"] == pinned


def test_entrypoint_is_a_command_of_ours_on_the_shared_volume(spec: dict[str, Any]) -> None:
    program, *words = shlex.split(spec["entrypoint"])
    assert [program, *words[:2]] == ["python", "-m", "recognizer"]
    options = _parser().parse_args(words[2:])
    assert options.ray == "auto"
    assert all(place.startswith("/data/") for place in (*options.sources, options.out))
    assert {mount["mountPath"] for pod in pods(spec) for mount in pod["containers"][0]["volumeMounts"]} == {"/data"}


def test_all_pods_have_the_documented_image_user_and_volume(spec: dict[str, Any]) -> None:
    container = (ROOT / "deploy" / "Containerfile").read_text()
    (tag,) = set(re.findall(r"--target batch -t (\S+?)[.\s]", container + (ROOT / "docs" / "scale.md").read_text()))
    (user,) = re.findall(r"--uid (\d+)", container)
    assert len({str(pod["volumes"]) for pod in pods(spec)}) == 1
    for pod in pods(spec):
        assert [one["image"].partition(":")[0] for one in pod["containers"]] == [tag]
        assert pod["securityContext"] == {"runAsUser": int(user), "fsGroup": int(user)}
    assert "FROM package AS batch" in container
    assert container.rstrip().rpartition("FROM ")[2].startswith("package AS app"), "the app is what is built by default"


def test_a_pod_has_memory_for_a_worker_on_each_core(spec: dict[str, Any]) -> None:
    for group in spec["rayClusterSpec"]["workerGroupSpecs"]:
        limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
        memory = int(limits["memory"].removesuffix("Gi")) * 2**30 - int(group["rayStartParams"]["object-store-memory"])
        assert memory >= int(limits["cpu"]) * WORKER_BYTES
    assert spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
