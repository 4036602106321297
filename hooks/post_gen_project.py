"""Turn the rendered files into a committed Git and DVC repository, with its storage beside it.

Standard library only: this runs under cookiecutter's Python, before the project has an environment. What cannot be
done here (no Git identity, no network) is said in one line each, and the rest is done.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")
TABLE = json.loads(ANSWERS["__table"])

PROJECT = Path.cwd()
STORAGE = PROJECT.with_name(f"{PROJECT.name}-storage")
DATA = Path("data/raw", ANSWERS["__data_file"])
SAMPLE = Path("data/raw/telco-customer-churn.csv")
CACHES = ("__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".ipynb_checkpoints")
COLUMNS = {"numeric": "number", "categorical": "category", "dates": "date"}
ARGUMENTS_OF_RIDGE = "\ntrain:  # arguments of the model in src/*/train.py\n  alpha: 1.0\n"
MESSAGE = f"Start {ANSWERS['__project_name'] or PROJECT.name} from the template"

# Set where cookiecutter is run by a Git hook or alias: each of these would make git work on another repository than ours.
# The last one keeps `python -m versioning` from finding the package in the working directory.
FOREIGN = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_DEFAULT_HASH GIT_DIR GIT_GRAFT_FILE "
    "GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_INTERNAL_SUPER_PREFIX GIT_NAMESPACE GIT_OBJECT_DIRECTORY GIT_PREFIX "
    "GIT_QUARANTINE_PATH GIT_REPLACE_REF_BASE GIT_SHALLOW_FILE GIT_TEMPLATE_DIR GIT_WORK_TREE PYTHONSAFEPATH"
).split()
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in FOREIGN}

# For the first commit and push only. A signature may ask for a passphrase or a key to touch, and there may be nobody to ask; a
# person's own hooks (message rules, scanners) are for what people write; a global ignore list may hide files of the template.
UNATTENDED = f"-c commit.gpgsign=false -c core.hooksPath={os.devnull} -c core.excludesFile={os.devnull}".split()


def run(*command: object) -> str:
    """Return why the command failed, in one line, or an empty text."""
    try:
        done = subprocess.run([*map(str, command)], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    lines = (done.stderr or done.stdout).decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip() and not line.strip().startswith("hint:")]
    return (said[-1] if said else f"exit status {done.returncode}") if done.returncode else ""


def must(*command: object) -> None:
    """Run what nothing can be made without."""
    if complaint := run(*command):
        sys.exit(f"{shlex.join(map(str, command))}: {complaint}")


def keep_what_was_chosen() -> None:
    """Write what follows from the answers, and remove what nobody chose, and caches that lay about in the template's folder."""
    sys.path.insert(0, str(PROJECT))
    sys.dont_write_bytecode = True
    from versioning import answers, clouds

    for path, text in answers.service_files(ANSWERS["ci"]).items():
        answers.Change(path, None, text).apply(PROJECT)
    for change in answers.services(PROJECT, ANSWERS["ci"], ANSWERS["ci"]).changes:
        change.apply(PROJECT)  # another service's, where this is written over a repository
    if cloud := clouds.of(ANSWERS["__storage_url"]):
        lock = Path(clouds.TOOLS)
        lock.write_bytes(clouds.with_pins(lock.read_bytes().decode(), [cloud]).encode())
    if DATA.suffix == ".parquet":
        Path("requirements.parquet.lock").replace("requirements.lock")
    unwanted = [*Path().glob("requirements*.*.lock"), *(path for name in CACHES for path in Path().rglob(name))]
    if DATA != SAMPLE:
        unwanted += [SAMPLE, Path(f"{SAMPLE}.dvc"), *Path("data/raw").glob("LICENSE*"), Path("data/raw/README.md")]
    for path in unwanted:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def place_own_data() -> None:
    """Copy the user's table to data/raw/, byte for byte: the next export of it can be put in its place."""
    DATA.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TABLE["path"], DATA)


def write_params() -> None:
    """Describe the user's table in params.yaml, where the sample was described."""
    shipped = Path("params.yaml").read_text(encoding="utf-8")
    head, _, rest = shipped.partition("\ndata:\n")
    split = rest[rest.index("\nsplit:\n") : rest.index("\nfeatures:")]
    split = re.sub(r"(max_rows:) \d+", rf"\1 {TABLE['max_rows']}", split)
    train = rest[rest.index("\ntrain:") :] if TABLE["task"] == "classification" else ARGUMENTS_OF_RIDGE
    data = f"""
data:
  id: {TABLE["id"]}  # a name and a snapshot; other data, another id
  path: {DATA.as_posix()}
  target: {as_yaml(TABLE["target"])}  # rows without it are left out
  task: {TABLE["task"]}  # classification or regression
"""
    lines = ["", "features:  # other columns are not used", *(f"  # left out: {line}" for line in left_out(40))]
    if TABLE["positive"]:
        of_what = "of the target's two classes: the one that f1, roc_auc, brier and the calibration are about"
        lines += [f"  positive: {as_yaml(TABLE['positive'])}  # {of_what}"]
    if TABLE["decimal"] == ",":
        lines += ['  decimal: ","  # the mark in the numbers of the table, also of the target']
    for kind in ("numeric", "categorical"):
        lines += [f"  {kind}:", *(f"    - {as_yaml(name)}" for name in TABLE[kind])] if TABLE[kind] else [f"  {kind}: []"]
    if TABLE["dates"]:
        lines += ["  dates:  # and how they are written; the model gets the days since 1970"]
        lines += [f"    {as_yaml(name)}: {as_yaml(form)}" for name, form in TABLE["dates"].items()]
    features = "\n".join([*lines, ""])
    Path("params.yaml").write_bytes(f"{head}{data}{split}{features}{train}".encode())


def left_out(most: int) -> list[str]:
    """Return a line for each column that is not used; where there are more than `most`, one for each reason."""
    dropped = TABLE["dropped"]
    if len(dropped) <= most:
        return [f"{name} ({reason})" for name, reason in dropped.items()]
    lines = []
    for reason in dict.fromkeys(dropped.values()):
        names = [name for name, other in dropped.items() if other == reason]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        lines.append(f"{', '.join(names[:5])}{more} ({reason})")
    return lines


def as_yaml(text: str) -> str:
    """Return a text as YAML reads it; for most, JSON without escapes."""
    return json.dumps(text, ensure_ascii=False)


def track_data() -> None:
    """Do what `dvc add` and `dvc push` would do: pointer, cache, remote.

    A copy to a known place needs no DVC, which takes over a second to start and may not be installed yet.
    """
    with DATA.open("rb") as stream:
        md5 = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    pointer = f"outs:\n- md5: {md5}\n  size: {DATA.stat().st_size}\n  hash: md5\n  path: {DATA.name}\n"
    Path(f"{DATA}.dvc").write_bytes(pointer.encode())
    DATA.with_name(".gitignore").write_bytes(f"/{DATA.name}\n".encode())
    for store in (Path(".dvc/cache"), *([] if ANSWERS["__storage_url"] else [STORAGE / "dvc"])):
        place = store / "files/md5" / md5[:2] / md5[2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DATA, place)
        place.chmod(0o444)  # as DVC does: a link to it must not be written through


def make_storage() -> None:
    """Make `origin`, the DVC remote and the place of published releases in the folder beside the project."""
    for name in ("dvc", "releases"):
        (STORAGE / name).mkdir()
    bare = STORAGE / "git"
    # No template: hooks that a person wants in every clone have no business on the server's side.
    must("git", "init", "-q", "-b", "main", "--bare", "--template=", bare)
    (bare / "hooks").mkdir()
    # A global core.hooksPath would switch the server's gate off.
    must("git", "--git-dir", bare, "config", "core.hooksPath", "hooks")
    must("git", "remote", "add", "origin", bare)


def set_up() -> list[str]:
    """Let the project set itself up as it does on every clone; return what is left to do."""
    python = (sys.executable, "-B", "-m", "versioning")
    left, said = [], ""
    command = [*python, "setup", *(["--no-install"] if ANSWERS["_install"] == "no" else [])]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in (raw.decode("utf-8", "replace").strip() for raw in process.stdout or ()):
            if line.startswith("left to do: "):
                left.append(line.removeprefix("left to do: "))
            elif line.startswith("environment: "):
                print(line, flush=True)  # this takes a while
            said = line or said
    if process.returncode and not left:
        left.append(f"set-up stopped ({said}): python3 -m versioning setup")
    if not ANSWERS["__storage_url"] and (complaint := run(*python, "hooks", "install", "--server", STORAGE / "git")):
        again = f"python3 -m versioning hooks install --server {shlex.quote(f'../{STORAGE.name}/git')}"
        left.append(f"the server's hook is not installed ({complaint}): {again}")
    return [line for line in left if not line.startswith("Git does not know who you are")]  # said with the commit


def commit_and_push() -> list[str]:
    """Make the first commit and push it to the embedded origin; return what is left to do."""
    must("git", *UNATTENDED, "add", "--all")
    push = "" if ANSWERS["__storage_url"] else " && git push -u origin main"
    by_hand = f"git commit -m {shlex.quote(MESSAGE)}{push}"
    asked = ("git", "-c", "user.useConfigOnly=true", "var")  # else git may guess a name from the machine's
    if run(*asked, "GIT_AUTHOR_IDENT") or run(*asked, "GIT_COMMITTER_IDENT"):
        identity = 'git config --global user.name "Your Name" && git config --global user.email you@example.org'
        return [f"git does not know who you are: {identity} && {by_hand}"]
    if complaint := run("git", *UNATTENDED, "commit", "-q", "-m", MESSAGE):
        return [f"the first commit failed ({complaint}): {by_hand}"]
    if push and (complaint := run("git", *UNATTENDED, "push", "-q", "-u", "origin", "main")):
        return [f"the first push failed ({complaint}): git push -u origin main"]
    return []


def describe() -> list[str]:
    """Say what was made."""
    where = ANSWERS["__storage_url"] or f"{STORAGE.name}/ beside it"
    lines = [f"{PROJECT.name}/ is a Git and DVC repository; data, models and releases are kept in {where}."]
    if "path" in TABLE:
        counts = [f"{len(TABLE[kind])} {word}" for kind, word in COLUMNS.items() if TABLE[kind]]
        columns = f"{' and '.join([', '.join(counts[:-1]), counts[-1]] if counts[1:] else counts)} columns"
        lines.append(f"{DATA}: {TABLE['task']} of {TABLE['target']} from {columns}; params.yaml lists them.")
        if TABLE["positive"]:
            share = f"{TABLE['positive_rows']} of {TABLE['labelled_rows']} rows"
            lines.append(f"  f1, roc_auc, brier and the calibration are about {TABLE['positive']} ({share}): features.positive")
        lines += [f"  left out: {line}" for line in left_out(20)]
    return lines


def next_commands(left: list[str]) -> list[str]:
    """Return what to type now, line by line."""
    commands = [f"cd {shlex.quote(os.path.relpath(PROJECT, ANSWERS['__started_in']))}"]
    if not Path(".venv").is_dir() or any(line.endswith("versioning setup") for line in left):
        commands.append("python3 -m versioning setup")
    commands.append(".venv\\Scripts\\activate" if os.name == "nt" else ". .venv/bin/activate")
    if ANSWERS["__storage_url"]:
        commands += ["git remote add origin <address of an empty repository>", "git push -u origin main", "dvc push"]
    commands += [
        "dvc repro",
        'git add -A && git commit -m "Train"',
        'git tag -a v0.1.0 -m "First release"',
        "git push --follow-tags",
    ]
    return commands


def make() -> None:
    """Make the repository, then say what was done, what is left, and what comes next."""
    if "path" in TABLE:
        place_own_data()
    must("git", "init", "-q", "-b", "main")
    if not ANSWERS["__storage_url"]:
        make_storage()
    track_data()
    left = set_up() + commit_and_push()
    lines = ["", *describe()]
    if left:
        lines += ["", "Left to do:", *(f"  {line}" for line in left)]
    print("\n".join([*lines, "", "Next:", *(f"  {line}" for line in next_commands(left))]))


def main() -> int:
    """Make a repository of a fresh project; over an existing one, files are all that is written."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    keep_what_was_chosen()
    if "path" in TABLE:
        write_params()
    if Path(".git").exists():
        print(f"{PROJECT.name}/ was a repository already: only files were written. See git status, git diff.")
        return 0
    if not ANSWERS["__storage_url"]:
        STORAGE.mkdir()  # fails where there is one: what is removed below is ours
    try:
        make()
    except BaseException as error:
        # Cookiecutter removes the project after a failure, but not after Ctrl-C, and never what is beside it.
        shutil.rmtree(STORAGE, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt):
            os.chdir(PROJECT.parent)
            shutil.rmtree(PROJECT, ignore_errors=True)
            return 130
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
