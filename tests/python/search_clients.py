"""Clients of Elasticsearch and OpenSearch against the search API: `search_clients.py URL ELASTICDUMP`.

Each writes documents in bulk with its own helpers and reads them back. One line per client; exits 1 at the first that does not get
back what it wrote.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import elasticsearch
import elasticsearch.helpers
import opensearchpy
import opensearchpy.helpers

COUNT = 1000


def documents():
    for number in range(COUNT):
        yield {
            "number": number,
            "message": f"line {number} of the log",
            "status": [200, 404, 500][number % 3],
            "@timestamp": f"2026-11-20T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
            "host": {"name": f"web-{number % 4}"},
        }


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found!r}, expected {wanted!r}")


def actions(index):
    for document in documents():
        yield {"_index": index, "_id": f"id-{document['number']}", "_source": document}


def read_back(name, client, helpers, index):
    """The same calls in both clients: they have one ancestor."""
    written, errors = helpers.bulk(client, actions(index), chunk_size=300)
    expect(f"{name}: bulk", (written, errors), (COUNT, []))
    client.indices.refresh(index=index)
    expect(f"{name}: count", client.count(index=index)["count"], COUNT)
    expect(f"{name}: get", client.get(index=index, id="id-7")["_source"]["message"], "line 7 of the log")
    body = {"query": {"bool": {"filter": [{"term": {"status": 404}}, {"range": {"number": {"lt": 300}}}]}}, "size": 0,
            "aggs": {"hosts": {"terms": {"field": "host.name.keyword"}}}}
    answer = client.search(index=index, body=body)
    expect(f"{name}: filter", answer["hits"]["total"], {"value": 100, "relation": "eq"})
    expect(f"{name}: terms", {b["key"]: b["doc_count"] for b in answer["aggregations"]["hosts"]["buckets"]},
           {"web-0": 25, "web-1": 25, "web-2": 25, "web-3": 25})
    scanned = {hit["_id"]: hit["_source"] for hit in helpers.scan(client, index=index, size=128)}
    expect(f"{name}: scan", scanned, {f"id-{d['number']}": d for d in documents()})
    # A second time: each document is replaced, none is added.
    helpers.bulk(client, actions(index), chunk_size=1000)
    expect(f"{name}: bulk again", client.count(index=index)["count"], COUNT)
    client.delete(index=index, id="id-7")
    expect(f"{name}: delete", (client.exists(index=index, id="id-7"), client.count(index=index)["count"]),
           (False, COUNT - 1))


def elasticsearch_py(url):
    client = elasticsearch.Elasticsearch(url, request_timeout=60)
    expect("elasticsearch-py: info", client.info()["tagline"], "You Know, for Search")
    read_back("elasticsearch-py", client, elasticsearch.helpers, "with-elasticsearch")
    expect("elasticsearch-py: conflict", conflict(client), 409)
    print(f"elasticsearch-py {elasticsearch.__versionstr__} ok")


def conflict(client):
    try:
        client.create(index="with-elasticsearch", id="id-1", document={"number": 1})
    except elasticsearch.ConflictError as error:
        return error.status_code
    return None


def opensearch_py(url):
    client = opensearchpy.OpenSearch(url, timeout=60)
    read_back("opensearch-py", client, opensearchpy.helpers, "with-opensearch")
    print(f"opensearch-py {opensearchpy.__versionstr__} ok")


def elasticdump(url, program):
    """Out of one index into a file, from the file into another index, and out again."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = pathlib.Path(folder, "first.json"), pathlib.Path(folder, "second.json")
        dump(program, f"{url}/with-elasticsearch", first)
        dump(program, first, f"{url}/with-elasticdump")
        dump(program, f"{url}/with-elasticdump", second)
        expect("elasticdump", dumped(second), dumped(first))
        expect("elasticdump: documents", len(dumped(first)), COUNT - 1)
    print("elasticdump ok")


def dump(program, source, target):
    command = [program, f"--input={source}", f"--output={target}", "--type=data", "--limit=250"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if run.returncode != 0:
        sys.exit(f"elasticdump {source} {target}: exit {run.returncode}\n{run.stdout}{run.stderr}")


def dumped(path):
    lines = [json.loads(line) for line in path.read_text().splitlines() if line]
    return {line["_id"]: line["_source"] for line in lines}


def main():
    url, program = sys.argv[1].rstrip("/"), sys.argv[2]
    elasticsearch_py(url)
    opensearch_py(url)
    elasticdump(url, program)


if __name__ == "__main__":
    main()
