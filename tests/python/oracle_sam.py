#!/usr/bin/env python3
"""Compares the emulator's expansion of templates with that of aws-sam-translator, resource by resource.

    oracle_sam.py EXPAND   (the path of the emulator's example `expand`, built)

Each template is expanded twice: by the emulator, and by SAM's own translator, whose output, plain CloudFormation, goes through the
emulator's resolver too (both sides with the same parameters, so that what is compared has no intrinsic functions left). What must
be equal: the logical ids, and of each resource its type, its properties, its physical id and what it needs; and the outputs.
"""

import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # of the translator; no call is made

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Templates with the parameter sets that they are compared under.
CASES = [
    ("template.yaml", {}),
    ("template.yaml", {"EnableStream": "true"}),
    ("template.yaml", {"EnableStream": "true", "AlarmEmail": "ops@example.com", "NamePrefix": "other-name"}),
    ("template.yaml", {"LakeDays": "0", "FailedDays": "0", "Architecture": "arm64", "StreamShards": "4"}),
    *((f"tests/templates/sam/{path.name}", {}) for path in sorted((ROOT / "tests/templates/sam").glob("*.yaml"))),
    ("tests/templates/sam/conditions.yaml", {"Stage": "prod"}),
]

# (template, logical id, path within the resource) → why the two may differ there. Empty: nothing differs.
ALLOWED = {}


logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it complains of its own metrics


def translate(path):
    """The template as SAM's transform leaves it. Local CodeUris become what `sam deploy` would make of them: places in S3."""
    template = yaml_parse(path.read_text())
    for owner in [template.get("Globals", {}).get("Function", {})] + [
        resource.get("Properties", {}) for resource in template["Resources"].values()
    ]:
        if isinstance(owner.get("CodeUri"), str) and not owner["CodeUri"].startswith("s3://"):
            owner["CodeUri"] = "s3://local/" + owner["CodeUri"]
    session = boto3.Session(region_name=os.environ["AWS_DEFAULT_REGION"])
    translated = Translator({}, Parser(), boto_session=session).translate(template, {})
    translated.pop("Transform", None)
    translated.pop("Globals", None)
    return translated


def expand(binary, path, parameters):
    command = [binary, str(path), *(f"{name}={value}" for name, value in parameters.items())]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: {result.stderr}")
    return json.loads(result.stdout)


def differences(ours, theirs, path=""):
    """(path, ours, theirs) of everything that differs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            yield from differences(ours.get(key, "(absent)"), theirs.get(key, "(absent)"), f"{path}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{path}/{index}")
    elif ours != theirs:
        yield path, ours, theirs


def main():
    binary = sys.argv[1]
    failed = compared = 0
    for name, parameters in CASES:
        ours = expand(binary, ROOT / name, parameters)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(translate(ROOT / name), file)
            file.flush()
            theirs = expand(binary, file.name, parameters)
        compared += len(theirs["Resources"])
        for path, one, other in differences(ours, theirs):
            reason = next((why for (at, prefix), why in ALLOWED.items() if at == name and path.startswith(prefix)), None)
            print(f"{name} {parameters or ''} {path}\n  emulator: {json.dumps(one)}\n  SAM:      {json.dumps(other)}")
            print(f"  allowed: {reason}" if reason else "  NOT ALLOWED")
            failed += reason is None
    print(f"{len(CASES)} expansions, {compared} resources compared with aws-sam-translator, {failed} unexplained differences")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
