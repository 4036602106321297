"""The rules, one file a family. Importing this registers them all."""

from . import artifact, claims, commit, data, environment, experiment, identity, schema, stage, version
from .base import ACT, CACHE, GIT, RULES, STORE, Case, Rule, program

FAMILIES = (schema, artifact, commit, data, claims, version, environment, identity, stage, experiment)

__all__ = ["ACT", "CACHE", "FAMILIES", "GIT", "RULES", "STORE", "Case", "Rule", "program"]
