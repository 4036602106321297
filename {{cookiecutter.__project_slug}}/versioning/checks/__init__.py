"""The rules, one file a family. Importing this registers them all."""

from . import artifact, claims, code, commit, data, environment, experiment, identity, schema, secret, stage, version
from .base import ACT, CACHE, GIT, RULES, STORE, Case, Rule, program

FAMILIES = (schema, artifact, commit, code, data, claims, version, environment, identity, stage, experiment, secret)

__all__ = ["ACT", "CACHE", "FAMILIES", "GIT", "RULES", "STORE", "Case", "Rule", "program"]
