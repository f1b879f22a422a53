#!/usr/bin/env python3
"""Times `bot report --spend-logs` against DuckDB and Python's json on one generated export, in one run.

    go build -o bot ./cmd/bot && pip install duckdb && python3 bench/spendlogs.py --bot ./bot

Each contender is a process of its own; the file is read once before, so that all find it in the page cache. Printed are
the best wall time of --repeat runs and the peak memory of each, and the ratios. The results are held against each other.
The export is made in a temporary folder and removed at the end.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

COLUMNS = "{request_id: 'VARCHAR', api_key: 'VARCHAR', spend: 'DOUBLE', startTime: 'TIMESTAMP', model_group: 'VARCHAR', " \
          "status: 'VARCHAR', total_tokens: 'BIGINT', cache_hit: 'VARCHAR', metadata: 'JSON'}"

WORDS = ("deploy the agent logs naïve Größe 你好 «ça marche» budget café déjà token 🚀 rotate secret window retry cache error "
         "fallback \\\"quoted\\\" path\\\\to\\\\file\\n next line\\t- item; http:\\/\\/example.com \\u00e9t\\u00e9 over and out").split(" ")


def text(rng, words):
    return " ".join(rng.choices(WORDS, k=words))


def row(rng, i, texts):
    """One row as releases from 1.106 on write it: the metadata that every row has, and the messages of some."""
    model = rng.choice(["claude-opus-4-6", "gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "text-embedding-3-large"])
    key = "%064x" % (rng.randrange(40) * 0x9E3779B97F4A7C15F39CC0605CEDC834)
    prompt, completion = rng.randrange(10, 8000), rng.randrange(1, 900)
    failed, hit, fell = rng.random() < 0.02, rng.random() < 0.05, rng.random() < 0.03
    spend = 0.0 if failed or hit else prompt * 2.5e-06 + completion * 1e-05
    second = i * 13
    at = "2026-11-%02dT%02d:%02d:%02d.%06dZ" % (1 + second // 86400 % 30, second // 3600 % 24, second // 60 % 60, second % 60, i % 1000000)
    status = "failure" if failed else "success"
    return ('{"request_id":"chatcmpl-%032x","call_type":"acompletion","api_key":"%s","spend":%r,"total_tokens":%d,"prompt_tokens":%d,'
            '"completion_tokens":%d,"startTime":"%s","endTime":"%s","request_duration_ms":%d,"completionStartTime":"%s","model":"%s",'
            '"model_id":"f8b9ca45bb32d506d14df80cfb5beb8b9f6d88aab454201629dce0a9390e516c","model_group":"%s","custom_llm_provider":"openai",'
            '"api_base":"https://api.example.com/v1","user":"u%d","metadata":{"status":%s,"user_agent":"openclaw","max_retries":0,'
            '"batch_models":null,"usage_object":{"total_tokens":%d,"prompt_tokens":%d,"completion_tokens":%d,"prompt_tokens_details":null,'
            '"completion_tokens_details":null},"user_api_key":"%s","cost_breakdown":{"input_cost":%r,"total_cost":%r,"output_cost":%r,'
            '"original_cost":%r,"margin_percent":0.0,"discount_amount":0.0,"tool_usage_cost":0.0},"litellm_call_id":"%032x",'
            '"routing_decision":null,"attempted_retries":0,"error_information":%s,"applied_guardrails":[],"user_api_key_alias":"agent-%s",'
            '"attempted_fallbacks":%d,"original_model_group":"%s","requester_ip_address":"10.0.0.%d","user_api_key_team_id":null,'
            '"model_map_information":{"model_map_key":"%s","model_map_value":null},"additional_usage_values":{"prompt_tokens_details":null}},'
            '"cache_hit":"%s","cache_key":"Cache OFF","request_tags":["User-Agent: openclaw"],"team_id":"","organization_id":"","end_user":"",'
            '"requester_ip_address":"10.0.0.1","messages":[{"role":"user","content":"%s"}],"response":{"choices":[{"message":{"role":"assistant",'
            '"content":"%s"}}]},"session_id":"%032x","status":"%s","mcp_namespaced_tool_name":null,"agent_id":null,"proxy_server_request":{}}') % (
        rng.getrandbits(128), key, spend, prompt + completion, prompt, completion, at, at, rng.randrange(9000), at, model, model, i % 97,
        '"failure"' if failed else "null", prompt + completion, prompt, completion, key, spend / 3, spend, spend / 1.5, spend,
        rng.getrandbits(128), '{"error_code":"429","error_class":"RateLimitError","error_message":"%s"}' % rng.choice(texts) if failed else "null",
        key[-4:], int(fell), "claude-opus-4-6" if fell else model, i % 250, model, "True" if hit else "None",
        rng.choice(texts), rng.choice(texts), rng.getrandbits(128), status)


def generate(path, rows, seed=5):
    rng = random.Random(seed)
    texts = [text(rng, rng.randrange(4, 60)) for _ in range(2000)]
    with open(path, "w", encoding="utf-8") as f:
        f.write("[")
        for i in range(rows):
            f.write((",\n" if i else "") + row(rng, i, texts))
        f.write("]\n")


def python(path):
    """What a person would write: the standard library, everything in memory."""
    with open(path, encoding="utf-8") as f:
        rows = json.load(f)
    sums = {}
    for r in rows:
        hit, fell = r["cache_hit"] == "True", (r["metadata"].get("attempted_fallbacks") or 0) > 0
        for group in [("total", ""), ("key", r["api_key"]), ("model", r["model_group"]), ("day", r["startTime"][:10])]:
            s = sums.setdefault(group, [0, 0, 0, 0, 0, 0])
            for at, by in enumerate([r["spend"], 1, r["total_tokens"], r["status"] == "failure", fell, hit]):
                s[at] += by
    top = sorted(rows, key=lambda r: (-r["spend"], r["startTime"]))[:10]
    return sums[("total", "")], len(sums) - 1, [r["request_id"] for r in top]


def duckdb(path):
    """The columns named, which is the fastest way to read them, and one pass over the file."""
    import duckdb as duck
    db = duck.connect()
    db.execute("CREATE TEMP TABLE rows AS SELECT request_id, api_key, spend, startTime, model_group, total_tokens, status = 'failure' AS failed, "
               "cache_hit = 'True' AS hit, coalesce(CAST(metadata->>'$.attempted_fallbacks' AS INT), 0) > 0 AS fell, "
               "metadata->>'$.user_api_key_alias' AS alias "
               f"FROM read_json(?, columns = {COLUMNS}, maximum_object_size = 67108864)", [path])
    sums = db.execute("SELECT sum(spend), count(*), sum(total_tokens), count(*) FILTER (failed), count(*) FILTER (fell), count(*) FILTER (hit), "
                      "api_key, model_group, CAST(startTime AS DATE) AS day, any_value(alias) FROM rows "
                      "GROUP BY GROUPING SETS ((), (api_key), (model_group), (day))").fetchall()
    top = db.execute("SELECT request_id FROM rows ORDER BY spend DESC, startTime LIMIT 10").fetchall()
    total = [s for s in sums if s[6:9] == (None, None, None)][0]
    return list(total[:6]), len(sums) - 1, [r[0] for r in top]


def run(command):
    """The command's output, wall seconds and peak memory in MB."""
    begun = time.perf_counter()
    p = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode != 0:
        sys.exit(f"{command[0]} ended with {p.returncode}")
    return json.loads(out), time.perf_counter() - begun, usage.ru_maxrss / 1024


def ours(report):
    """The same figures, out of the report."""
    t = report["spend_logs"]
    groups = len(t["keys"]) + len(t["models"]) + len(t["days"])
    s = t["total"]
    return [float(s["spend"]), s["requests"], s["tokens"], s["failed"], s["fallbacks"], s["cache_hits"]], groups, [r["id"] for r in t["dearest"]]


def main():
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("--bot", default="./bot")
    a.add_argument("--rows", type=int, default=200_000)
    a.add_argument("--repeat", type=int, default=3)
    a.add_argument("--keep", help="generate this file and do nothing else")
    a.add_argument("--contender", choices=["python", "duckdb"], help=argparse.SUPPRESS)
    a.add_argument("--file", help=argparse.SUPPRESS)
    a = a.parse_args()
    if a.contender:
        print(json.dumps({"python": python, "duckdb": duckdb}[a.contender](a.file)))
        return
    if a.keep:
        generate(a.keep, a.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spend.json")
        generate(path, a.rows)
        with open(path, "rb") as f:
            while f.read(1 << 20):
                pass
        print(f"{a.rows} rows, {os.path.getsize(path) / 1e6:.0f} MB, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        self = [sys.executable, __file__, "--file", path, "--contender"]
        contenders = {"bot": [a.bot, "report", "--spend-logs", path, "--format", "json"], "duckdb": self + ["duckdb"], "python": self + ["python"]}
        best, results = {}, {}
        for turn in range(a.repeat):
            for name, command in contenders.items():
                if name == "python" and turn > 0:
                    continue
                out, seconds, memory = run(command)
                results[name] = ours(out) if name == "bot" else out
                was = best.get(name, (1e9, 0))
                best[name] = min(was[0], seconds), max(was[1], memory)
        for name, (seconds, memory) in best.items():
            print(f"{name:8} {seconds:7.2f} s {memory:7.0f} MB   time / bot {seconds / best['bot'][0]:6.2f}   memory / bot {memory / best['bot'][1]:6.2f}")
        for name, (total, groups, top) in results.items():
            want, want_groups, want_top = results["python"]
            if abs(total[0] - want[0]) > 1e-6 * want[0] or list(map(int, total[1:])) != list(map(int, want[1:])) or groups != want_groups or top != want_top:
                sys.exit(f"{name} says {total}, {groups} groups, {top}; python says {want}, {want_groups}, {want_top}")
        print("all agree")
        if best["bot"][0] > best["duckdb"][0] or best["bot"][1] > 32:
            sys.exit("slower than DuckDB, or more than 32 MB")


if __name__ == "__main__":
    main()
