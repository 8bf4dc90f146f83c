# SPDX-License-Identifier: Apache-2.0
"""The status page for Prometheus: the numbers of the JSON page, in a form that its own checker and a strict reader accept."""

import calendar
import json
import pathlib
import re
import time

import pytest
from pyclerk import prometheus
from pyclerk.clerk import XHR, bearer, directives, protect
from pyclerk.webhooks import SECRETS, signed

STATUS = "<Location /status>\n    SetHandler clerk-status\n    Require ip 127.0.0.1\n</Location>\n"
HOOK = "<Location /hook>\n    SetHandler clerk-webhook\n    Require all granted\n</Location>\n"
SOURCE = (pathlib.Path(__file__).resolve().parents[2] / "src/httpd/status/metrics.c").read_text()
# The objects of the JSON page that the groups of metrics are.
OBJECTS = {"KEYS": "keys", "FETCHES": "keys", "BACKEND": "backend_api", "CACHE": "token_cache", "CREDENTIALS": "credentials",
           "SESSIONS": "sessions", "PROFILES": "user_profiles", "CHECKS": "session_checks", "WEBHOOKS": "webhooks",
           "REVOCATIONS": "revocations"}
METRICS = re.findall(r'\{CLERK_METRICS_(\w+), "(\w+)", CLERK_METRIC_(\w+), \w+,\s+(?:\.series = "(\w+)")?', SOURCE)
# In the text format instances have these names; JSON has the names that are not UTF-8 as null.
AWKWARD = {"plain": "plain", 'quo"te': 'quo"te', "back\\\\slash": "back\\slash", "umläut": "umläut", "la\udce4tin": "la\ufffdtin"}


def scrape(server):
    answer = server.get("/status?prometheus")
    assert answer.status == 200 and answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8", answer
    return answer.body


def need_promtool():
    if not prometheus.promtool():
        pytest.skip("promtool is not installed")


@pytest.fixture(name="server")
def _server(httpd, emulator):
    httpd.instance = emulator.add_instance(production=True)
    httpd.env["HOOK"] = SECRETS[0]
    httpd.configure(directives(httpd, httpd.instance, keys="api") + "ClerkWebhookSecret env:HOOK\n" + HOOK + protect("/p")
                    + protect("/admin", ["clerk-role admin"]) + STATUS)
    for place in ("p", "admin"):
        httpd.write(f"{place}/index.html", "protected\n")
    return httpd.start()


def visit(server):
    once = bearer(server.instance)
    for path, headers in (("/p/", once), ("/p/", once), ("/p/", XHR), ("/admin/", XHR | bearer(server.instance, "bob", "acme"))):
        server.get(path, headers)
    server.log.announce("AC3250")
    for event in ({"type": "session.ended", "data": {"id": "sess_1", "user_id": "user_1"}}, {"type": "email.created", "data": {}}):
        body = json.dumps(event | {"object": "event", "timestamp": int(time.time() * 1000)}).encode()
        headers = signed(body, message="msg_" + event["type"].replace(".", "_"))
        assert [server.request("POST", "/hook", headers, body).status for _ in range(2)] == [204, 400]


def from_json(value, kind):
    if kind == "TIME":
        return calendar.timegm(time.strptime(value, "%Y-%m-%dT%H:%M:%SZ"))
    return value


def test_every_number_of_the_json_page_is_there(server):
    """All rows of the table but those that Prometheus computes itself."""
    visit(server)
    series = prometheus.parse(scrape(server))
    page = server.get("/status?json").json()
    (instance,) = page["instances"]
    seen = 0
    for group, name, kind, called in METRICS:
        if group == "CHECKS":
            continue  # made in the background, perhaps between the two pages: test_session_checks.py
        value = (page if group == "REVOCATIONS" else instance)[OBJECTS[group]][name]
        of_whom = {} if group == "REVOCATIONS" else {"clerk_instance": "default"}
        assert bool(called) == (kind != "AGE"), name
        if kind == "AGE":
            continue
        one = series.get(f"clerk_{called}")
        if value is None:
            assert one is None, name
        elif kind == "TEXT":
            label = {"state": value} if name in ("health", "circuit", "last_verdict", "fleet") else {name: value}
            assert one.value(**of_whom, **label) == 1, name
        else:
            assert int(one.value(**of_whom)) == from_json(value, kind), name
            assert one.type == ("counter" if kind == "COUNTER" else "gauge"), name
        seen += value is not None
    assert seen > 15


def test_verdicts(server):
    visit(server)
    series = prometheus.parse(scrape(server))
    requests = {labels["status"]: series["clerk_requests_total"].value(**labels) for labels in series["clerk_requests_total"].labels()}
    assert requests == {"signed_in": 3, "signed_out": 1, "handshake": 0, "unavailable": 0, "bad_request": 0}
    assert series["clerk_verdicts_total"].samples == {
        (("clerk_instance", "default"), ("reason", "session-token-and-uat-missing"), ("status", "signed_out")): 1}
    assert series["clerk_forbidden_total"].value(clerk_instance="default") == 1
    assert series["clerk_token_cache_hits_total"].value() == 1


def test_webhooks(server):
    visit(server)
    page, series = server.get("/status?json").json(), prometheus.parse(scrape(server))
    hooks, revocations = page["instances"][0]["webhooks"], page["revocations"]
    assert (hooks["applied"], hooks["refused"], hooks["unusable"], hooks["last_verdict"]) == (2, 2, 0, "refused")
    assert hooks["applied_by_type"] == {"session.ended": 1, "other": 1} and hooks["last_age_seconds"] < 30
    by_type = series["clerk_webhooks_applied_by_type_total"]
    assert {labels["type"]: by_type.value(**labels) for labels in by_type.labels() if by_type.value(**labels)} == hooks["applied_by_type"]
    assert (revocations["held"], revocations["given_way"], revocations["fleet"], revocations["fleet_servers"]) == (1, 0, "alone", 1)
    assert revocations["capacity"] > 100000 and revocations["newest_age_seconds"] < 30
    html = server.get("/status").text
    assert "<dt>Revocations held</dt><dd>1</dd>" in html and "<dt>Webhook messages</dt><dd>2 <small>2 refused</small></dd>" in html


def test_states_exclude_each_other(server):
    health = prometheus.parse(scrape(server))["clerk_keys_health"]
    assert {labels["state"] for labels in health.labels()} == {"ok", "fixed", "idle", "failing", "down"}
    assert sum(health.samples.values()) == 1


def test_what_names_the_instance(server):
    visit(server)
    series = prometheus.parse(scrape(server))
    (info,) = series["clerk_instance_info"].labels()
    assert info == {"clerk_instance": "default", "type": "production", "frontend_api": server.instance.host}
    assert [labels["server"] for labels in series["clerk_instance_server_info"].labels()] == [f"127.0.0.1:{server.port}"]
    (key,) = series["clerk_key_info"].labels()
    assert (key["kid"], key["usable"]) == (server.instance.kid, "true")
    assert series["clerk_build_info"].labels()[0]["version"] == server.get("/status?json").json()["version"]


def test_promtool_has_nothing_to_say(server):
    need_promtool()
    visit(server)
    assert prometheus.lint(scrape(server)) == (0, "")


def test_promtool_would_say_something():
    need_promtool()
    assert prometheus.lint(b"# TYPE clerk_x counter\nclerk_x 1\n")[0] != 0
    assert prometheus.lint(b'clerk_x{a="\xff"} 1\n')[0] != 0


def test_names_are_escaped(httpd, emulator):
    text = STATUS
    for name in AWKWARD:
        instance = emulator.add_instance(production=True)
        quoted = name.replace('"', '\\"')
        text += f'<ClerkInstance "{quoted}">\nClerkPublishableKey {instance.publishable_key}\nClerkJWKSURL {instance.jwks_url}\n</ClerkInstance>\n'
    httpd.configure("ClerkAuthorizedParties https://a.example\n")
    conf = httpd.conf.read_text("utf-8")
    httpd.conf.write_bytes((conf + text).encode("utf-8", "surrogateescape"))
    body = scrape(httpd.start())
    series = prometheus.parse(body)
    assert {labels["clerk_instance"] for labels in series["clerk_instance_info"].labels()} == set(AWKWARD.values())
    if prometheus.promtool():
        assert prometheus.lint(body) == (0, "")


def test_the_error_of_a_source_that_is_down(httpd, emulator):
    instance = emulator.add_instance(production=True)
    httpd.configure(directives(httpd, instance, keys="api") + protect("/p") + STATUS)
    httpd.log.announce("AC1001")
    instance.set_fault("api-jwks", status=500)
    assert httpd.start().get("/p/", bearer(instance)).status == 503
    body = scrape(httpd)
    series = prometheus.parse(body)
    (error,) = series["clerk_keys_last_error_info"].labels()
    assert "500" in error["last_error"] and series["clerk_keys_failing_since_timestamp_seconds"].value() > 0
    assert series["clerk_keys_health"].value(state="down") == 1 and series["clerk_requests_total"].value(status="unavailable") == 1


def test_without_an_instance(httpd):
    body = scrape(httpd.configure(STATUS).start())
    assert set(prometheus.parse(body)) == {"clerk_build_info", "clerk_background_refresh"}


def test_as_prometheus_writes_the_query(httpd):
    httpd.configure(STATUS).start()
    for query, begins in (("prometheus=", "# HELP"), ("json=", "{"), ("prometheus2", "<!doctype"), ("prometheus=1", "<!doctype"), ("", "<!doctype")):
        assert httpd.get(f"/status?{query}").text.startswith(begins), query


def test_head_has_no_body(server):
    head = server.request("HEAD", "/status?prometheus")
    assert (head.status, head.body) == (200, b"") and head.header("Content-Type").startswith("text/plain; version=0.0.4")
