"""The rules for hosted servers: right by the published descriptions of their APIs, and holding the tags that they should."""

from __future__ import annotations

import copy
import fnmatch
import json
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gitlab
import pytest
from githubkit import GitHub
from githubkit_schemas.latest.models import ReposOwnerRepoRulesetsPostBody
from gitlab.const import AccessLevel
from gitlab.v4.objects import ProjectProtectedTagManager
from pydantic import ValidationError

from tests.conftest import Generated, git, isolated_environment, run_cookiecutter

Body = dict[str, Any]
RELEASES = ["v1.2.0", "v0.1.0", "v10.20.30", "v1.2.0-rc.1", "churn/v1.2.0", "customer-churn/v1.2.0-rc.1"]
OTHERS = ["v2-notes", "v1", "nightly-1", "2024-11-05", "notes/v2", "churn#prod#3"]
# Names of registry and approval tags: GitLab's one wildcard holds them too, GitHub's patterns do not.
RECORDS = ["churn@v1.2.0", "approval/churn/prod/v1.2.0/ada-example-org"]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="session")
def services(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Generated]:
    """A project for each service, to look at and not to change."""
    environment = isolated_environment(tmp_path_factory.mktemp("home"))
    folder = tmp_path_factory.mktemp
    return {ci: run_cookiecutter(template, folder(ci), (), {"ci": ci}, environment) for ci in ("github", "gitlab", "jenkins")}


@pytest.fixture
def ruleset(services: dict[str, Generated]) -> Body:
    return json.loads((services["github"].project / "infra/github-ruleset.json").read_text("utf-8"))


@pytest.fixture
def protected_tag(services: dict[str, Generated]) -> Body:
    return json.loads((services["gitlab"].project / "infra/gitlab-protected-tag.json").read_text("utf-8"))


# -- GitHub, by the models that githubkit generates from GitHub's OpenAPI description


def suits_github(body: Body) -> bool:
    """Whether GitHub's model takes a request, and nothing of it is lost in there: a field it does not know would be."""
    try:
        read = ReposOwnerRepoRulesetsPostBody.model_validate(body)
    except ValidationError:
        return False
    return read.model_dump(mode="json", by_alias=True, exclude_unset=True) == body


def test_github_knows_every_field(ruleset: Body) -> None:
    assert suits_github(ruleset)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.update(target="tags"),
        lambda body: body.update(enforcement="enabled"),
        lambda body: body.update(enforcment=body.pop("enforcement")),
        lambda body: body.pop("name"),
        lambda body: body.update(ref_name=body.pop("conditions")["ref_name"]),
        lambda body: body["conditions"].update(refs=body["conditions"].pop("ref_name")),
        lambda body: body["conditions"]["ref_name"].update(includes=body["conditions"]["ref_name"].pop("include")),
        lambda body: body["conditions"]["ref_name"].update(include="refs/tags/v*"),
        lambda body: body["rules"].append({"type": "delete"}),
        lambda body: body["rules"].append({"typ": "deletion"}),
        lambda body: body["rules"].append({"type": "update", "parameters": {"allow": True}}),
        lambda body: body["bypass_actors"].append({"actor_type": "Administrator"}),
    ],
)
def test_a_slip_in_the_ruleset_is_seen(ruleset: Body, spoil: Callable[[Body], object]) -> None:
    spoiled = copy.deepcopy(ruleset)
    spoil(spoiled)
    assert not suits_github(spoiled)


def test_the_ruleset_is_in_force_for_everybody_and_makes_new_tags_wait_for_nothing(ruleset: Body) -> None:
    assert (ruleset["target"], ruleset["enforcement"], ruleset["bypass_actors"]) == ("tag", "active", [])
    # Not `creation`, nor `required_status_checks`: `git push --follow-tags` brings a tag with a commit that no check has seen yet.
    assert [rule["type"] for rule in ruleset["rules"]] == ["deletion", "update", "non_fast_forward"]


def test_the_ruleset_holds_release_tags_and_no_others(ruleset: Body, tmp_path: Path) -> None:
    """Git's own patterns are the oracle: as in GitHub's, `*` does not stand for a slash there."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "Start")
    for name in (*RELEASES, *OTHERS, *RECORDS):
        git(tmp_path, "tag", name)
    git(tmp_path, "branch", "v1.2.0")
    held = git(tmp_path, "for-each-ref", "--format=%(refname)", *ruleset["conditions"]["ref_name"]["include"]).splitlines()
    assert sorted(held) == sorted(f"refs/tags/{name}" for name in RELEASES)
    assert ruleset["conditions"]["ref_name"]["exclude"] == []


# -- GitLab, by what python-gitlab says of its API; GitLab's levels for tags are 0, 30, 40 and 60


def complaints_of_gitlab(body: Body) -> list[str]:
    """What GitLab would not understand, or would leave unread."""
    known = ProjectProtectedTagManager._create_attrs
    found = [f"{name} is missing" for name in known.required if name not in body]
    found += [f"{name} is not known" for name in body if name not in (*known.required, *known.optional)]
    allowed = [int(getattr(AccessLevel, name)) for name in ("NO_ACCESS", "DEVELOPER", "MAINTAINER", "ADMIN")]
    if body.get("create_access_level") not in (None, *allowed):
        found.append(f"no level: {body['create_access_level']}")
    return found


def test_gitlab_knows_every_field(protected_tag: Body) -> None:
    assert complaints_of_gitlab(protected_tag) == []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda body: body.update(tag=body.pop("name")), "name is missing"),
        (lambda body: body.update(tag="v*"), "tag is not known"),
        (lambda body: body.update(create_access_levels=30), "create_access_levels is not known"),
        (lambda body: body.update(create_access_level=35), "no level: 35"),
        (lambda body: body.update(create_access_level="developer"), "no level: developer"),
    ],
)
def test_a_slip_in_the_protected_tag_is_seen(protected_tag: Body, spoil: Callable[[Body], object], complaint: str) -> None:
    spoiled = dict(protected_tag)
    spoil(spoiled)
    assert complaint in complaints_of_gitlab(spoiled)


def test_developers_may_release(protected_tag: Body) -> None:
    """GitLab's own default, maintainers only, would refuse the release of an ordinary member of the team."""
    assert protected_tag["create_access_level"] == AccessLevel.DEVELOPER


def test_the_protected_tag_holds_release_tags(protected_tag: Body) -> None:
    """In GitLab `*` is the only wildcard and stands for slashes too, as in Python's fnmatch."""
    name = protected_tag["name"]
    assert not set(name) & set("?[]")
    assert [tag for tag in (*RELEASES, *OTHERS, *RECORDS) if fnmatch.fnmatchcase(tag, name)] == [*RELEASES, *RECORDS]


# -- the page, and the command that it gives


@dataclass
class Server:
    """A server on loopback that keeps what it was asked, and says yes to everything."""

    address: str
    asked: list[tuple[str, str, Body]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.asked.append((self.command, unquote(self.path).removeprefix("/api/v4"), json.loads(body)))
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing: what was asked is what counts."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        seen = Server(f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield seen
        listening.shutdown()
        thread.join()


def command_of(project: Path, program: str) -> tuple[str, str, Body]:
    """Method, endpoint and body of the one request that the page sends with a program."""
    blocks = BLOCK.findall((project / "infra/README.md").read_text("utf-8"))
    (line,) = (block.strip() for block in blocks if block.startswith(f"{program} "))
    words = shlex.split(line)
    options = {name: words[words.index(name) + 1] for name in ("--method", "--input")}
    (endpoint,) = (word for word in words[2:] if re.match("repos/|projects/", word))
    assert words[:2] == [program, "api"]
    return options["--method"], f"/{endpoint}", json.loads((project / options["--input"]).read_text("utf-8"))


def test_the_command_for_github_sends_what_a_published_client_sends(
    services: dict[str, Generated], server: Server, ruleset: Body
) -> None:
    with GitHub(base_url=server.address, http_cache=False) as client:
        client.rest.repos.create_repo_ruleset("{owner}", "{repo}", data=ReposOwnerRepoRulesetsPostBody.model_validate(ruleset))
    (sent,) = server.asked
    assert command_of(services["github"].project, "gh") == sent


def test_the_command_for_gitlab_sends_what_a_published_client_sends(
    services: dict[str, Generated], server: Server, protected_tag: Body
) -> None:
    with gitlab.Gitlab(server.address) as client:
        client.projects.get(":id", lazy=True).protectedtags.create(protected_tag)
    (sent,) = server.asked
    assert command_of(services["gitlab"].project, "glab") == sent


@pytest.mark.parametrize("ci", ["github", "gitlab", "jenkins"])
def test_the_page_speaks_of_the_chosen_service_only(services: dict[str, Generated], ci: str) -> None:
    page = (services[ci].project / "infra/README.md").read_text("utf-8")
    assert {name for name in ("GitHub", "GitLab") if name in page} == {"github": {"GitHub"}, "gitlab": {"GitLab"}}.get(ci, set())
    assert "A clone has no gate until" in page.split("\n## ")[0]
    assert "\n\n\n" not in page
    assert "(infra/README.md)" in (services[ci].project / "README.md").read_text("utf-8")


def test_the_command_for_an_own_server_guards_it(services: dict[str, Generated], tmp_path: Path) -> None:
    page = (services["jenkins"].project / "infra/README.md").read_text("utf-8")
    (line,) = BLOCK.findall(page)
    git(tmp_path, "init", "-q", "--bare", "own.git")
    guarded = line.replace("DIR", shlex.quote(str(tmp_path / "own.git")))
    subprocess.run(["sh", "-ec", guarded], cwd=services["jenkins"].project, check=True, capture_output=True)
    assert "model-gate" in (tmp_path / "own.git/hooks/pre-receive").read_text("utf-8")
    for bare in (tmp_path / "own.git", services["jenkins"].storage / "git"):
        assert (bare / "hooks/pre-receive").exists()


def test_with_a_cloud_the_page_promises_no_folder(template: Path, tmp_path: Path, home: Path) -> None:
    made = run_cookiecutter(template, tmp_path, (), {"storage_url": "s3://bucket/path"})
    assert "-storage/git" not in (made.project / "infra/README.md").read_text("utf-8")
