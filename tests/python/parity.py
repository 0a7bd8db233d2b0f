#!/usr/bin/env python3
"""The same boto3 and awscli calls against the emulator and against moto: status, error code and shape compared.

usage: parity.py EMULATOR_ENDPOINT [--show]

moto runs in this process, on a free port. The calls are those of parity_calls. Whatever differs must stand in
parity_calls/differences.py with its reason, and what stands there must differ; else the call has failed and is printed.
Leaves nothing behind but metrics, which cannot be deleted. Ends with `N passed, N failed`.
"""

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

# Nothing of the user's own settings; moto's account is the emulator's.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
REGION = "us-east-1"
ACCOUNT = "000000000000"
os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION, AWS_PAGER="", AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, MOTO_ACCOUNT_ID=ACCOUNT, NO_PROXY="127.0.0.1,localhost",
)

import boto3
import botocore.config
import botocore.exceptions
from moto.server import ThreadedMotoServer

from parity_calls import CALLS, CLEANING, DIFFERENCES


def shape(value):
    """Names and types of an answer, without its values; the items of a list as one."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        items = [shape(item) for item in value]
        if items and all(isinstance(item, dict) for item in items):
            items = [{key: inner for item in reversed(items) for key, inner in item.items()}]
        return items[:1]
    return "stream" if hasattr(value, "read") else type(value).__name__


def differences(ours, theirs, path=""):
    """`+NAME` is in our answer only, `-NAME` in moto's only."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            name = f"{path}.{key}" if path else key
            if key in ours and key in theirs:
                yield from differences(ours[key], theirs[key], name)
            else:
                yield f"{'+' if key in ours else '-'}{name}"
    elif isinstance(ours, list) and isinstance(theirs, list):
        if ours and theirs:
            yield from differences(ours[0], theirs[0], path + "[]")
        elif ours or theirs:
            yield f"{'+' if ours else '-'}{path}[]"
    elif ours != theirs:
        yield f"{path}: {ours}, moto {theirs}"


class Side:
    """One of the two services, and what the calls before have left to those after."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.config = botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self.clients = {}
        self.kept = {}

    def __getattr__(self, service):
        return self.client(service)

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(service, endpoint_url=self.endpoint, config=self.config)
        return self.clients[service]

    def cli(self, *arguments, data=None, folder=None):
        aws = os.path.join(os.path.dirname(sys.executable), "aws")
        command = [aws, "--endpoint-url", self.endpoint, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, input=data, timeout=60, cwd=folder)
        code = re.search(r"An error occurred \((\w+)\)", done.stderr)
        outcome = {"status": done.returncode, "code": code and code[1]}
        if done.stdout.startswith("{"):
            return outcome | {"answer": shape(json.loads(done.stdout))}
        # Dates, sizes and which of two uploads was first are not compared.
        return outcome | {"answer": " | ".join(sorted(re.sub(r"\d+", "0", done.stdout).splitlines()))}

    def fetch(self, url, data=None):
        """A request without the SDK."""
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=data, method="PUT" if data else "GET"), timeout=60) as answer:
                return {"status": answer.status, "code": None, "answer": shape(answer.read())}
        except urllib.error.HTTPError as error:
            return {"status": error.code, "code": re.search("<Code>(.*)</Code>", error.read().decode())[1]}

    def run(self, function):
        """Status, error code and shape of the answer to one call."""
        try:
            answer = function(self)
        except botocore.exceptions.ClientError as error:
            answer = error.response
            return {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "code": answer["Error"]["Code"]}
        except Exception as error:
            return {"status": None, "code": type(error).__name__}
        if "status" in answer:
            return answer
        return {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "code": None, "answer": shape(answer)}


def compare(ours, theirs):
    """What differs between two outcomes; the answers only of calls that went the same way."""
    ended = [" ".join(str(outcome[key]) for key in ("status", "code") if outcome[key] is not None) for outcome in (ours, theirs)]
    if ended[0] != ended[1]:
        return {f"{ended[0]}, moto {ended[1]}"}
    if ours["status"] is None:
        # The client itself failed: nothing has been compared.
        return {f"no answer: {ended[0]}"}
    return set(differences(ours.get("answer"), theirs.get("answer")))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("emulator", help="its endpoint")
    arguments.add_argument("--show", action="store_true", help="print the table of differences with their reasons")
    arguments = arguments.parse_args()
    expected = {}
    for calls, found, reason in DIFFERENCES:
        for name in calls.split():
            for difference in found:
                expected[name, difference] = reason
    unknown = {name for name, _ in expected} - {function.__name__ for function in CALLS}
    assert not unknown, f"DIFFERENCES has calls that are not made: {unknown}"
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    ours, theirs = Side(arguments.emulator), Side(f"http://{host}:{port}")
    failed = 0
    try:
        for function in CALLS:
            name = function.__name__
            outcome, other = ours.run(function), theirs.run(function)
            found = {(name, difference) for difference in compare(outcome, other)}
            listed = {key for key in expected if key[0] == name}
            if found != listed:
                failed += 1
                print(name)
                for difference in sorted(difference for _, difference in found - listed):
                    print(f"  not listed          {difference}")
                for difference in sorted(difference for _, difference in listed - found):
                    print(f"  listed, but is not  {difference}")
                print(f"  emulator {outcome}\n  moto     {other}")
    except BaseException:
        for function in CLEANING:
            ours.run(function)
        raise
    finally:
        moto.stop()
    if arguments.show:
        for calls, found, reason in DIFFERENCES:
            print(f"{reason}\n  {', '.join(found)}\n  {calls}")
    print(f"{len(CALLS)} calls, {len({name for name, _ in expected})} with listed differences")
    print(f"{len(CALLS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
