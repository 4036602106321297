"""The rules, one file a family. Importing this registers them all."""

from . import artifact, claims, commit, data, environment, schema, stage, version
from .base import ACT, CACHE, GIT, RULES, STORE, Case, Rule, program

FAMILIES = (schema, artifact, commit, data, claims, version, environment, stage)

__all__ = ["ACT", "CACHE", "FAMILIES", "GIT", "RULES", "STORE", "Case", "Rule", "program"]
