"""The files of deploy/ fit the program and each other, as far as can be said without containers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from typer.main import get_command

from sonoriff.cli.main import app
from sonoriff.server.metrics import Metrics
from sonoriff.server.workers.worker_pool import WorkerPool

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = {one["kind"]: one for one in yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text())}
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()


def check_command(words: list[str]) -> None:
    """A command line of the program whose options it has."""
    name, *given = words
    group = cast(Any, get_command(app))
    command = group.get_command(group.context_class(group), name)
    known = {option for one in command.params for option in one.opts}
    options = {word.partition("=")[0] for word in given if word.startswith("--")}
    assert options <= known


def test_front_servers_are_asked_for_what_they_can_do() -> None:
    fronts = [one for one in COMPOSE["services"].values() if one["image"] == "sonoriff"]
    assert len(fronts) == 2
    for front in fronts:
        check_command(front["command"])
        assert (DEPLOY / front["build"]["context"] / front["build"]["dockerfile"]).is_file()
    (container,) = KUBERNETES["Deployment"]["spec"]["template"]["spec"]["containers"]
    check_command(container["args"])
    last = CONTAINERFILE.strip().splitlines()[-1]
    check_command(json.loads(last.removeprefix("CMD ")))


def test_services_name_what_there_is() -> None:
    services, volumes = COMPOSE["services"], set(COMPOSE["volumes"])
    used = set()
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_file()
            else:
                used.add(source)
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
    assert used == volumes
    scraped = yaml.safe_load((DEPLOY / "prometheus.yaml").read_text())
    (job,) = scraped["scrape_configs"]
    (group,) = job["static_configs"]
    fronts = [name for name, one in services.items() if one["image"] == "sonoriff"]
    assert group["targets"] == [f"{name}:3013" for name in fronts]


def test_the_image_is_made_of_what_there_is() -> None:
    assert re.search(r"^EXPOSE 3013$", CONTAINERFILE, re.M)
    for source in re.findall(r"^COPY ([^-\s]\S*) ", CONTAINERFILE, re.M):
        assert (ROOT / source).exists()
    for extra in re.findall(r"wheel\[(\w+)\]", CONTAINERFILE):
        assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()


def test_the_cluster_has_the_version_that_the_image_installs() -> None:
    pinned = re.search(r"^ray==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert pinned is not None
    assert KUBERNETES["RayCluster"]["spec"]["rayVersion"] == pinned[1]
    (container,) = KUBERNETES["Deployment"]["spec"]["template"]["spec"]["containers"]
    name = KUBERNETES["RayCluster"]["metadata"]["name"]
    assert f"--ray={name}-head-svc:6379" in container["args"]
    labels = KUBERNETES["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert KUBERNETES["Service"]["spec"]["selector"] == labels


def test_the_board_shows_what_servers_tell() -> None:
    metrics = Metrics()
    for name in ("streams", "riffs"):
        pool = SimpleNamespace(name=name, waiting=0, restarts=0)
        metrics.watch(cast(WorkerPool, pool))
    known = set()
    for family in metrics.registry.collect():
        known |= {family.name, *(sample.name for sample in family.samples)}
        if family.type == "counter":
            known.add(f"{family.name}_total")
        if family.type == "histogram":
            known.add(f"{family.name}_bucket")
    board = json.loads((DEPLOY / "grafana" / "board.json").read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"sonoriff_\w+", target["expr"])
    }
    assert asked
    assert asked <= known
    (source,) = yaml.safe_load((DEPLOY / "grafana" / "sources.yaml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}


def test_nginx_knows_its_configuration(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    text = (DEPLOY / "nginx.conf").read_text()
    fronts = [name for name, one in COMPOSE["services"].items() if one["image"] == "sonoriff"]
    assert re.findall(r"server (\S+):3013", text) == fronts
    for name in fronts:
        text = text.replace(f"{name}:", "127.0.0.1:")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    text = text.replace("http {", f"http {{ access_log off; {folders}")
    path = tmp_path / "nginx.conf"
    path.write_text(f"pid {tmp_path}/nginx.pid;\nerror_log stderr;\n{text}")
    command = [nginx, "-t", "-q", "-p", str(tmp_path), "-c", str(path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
