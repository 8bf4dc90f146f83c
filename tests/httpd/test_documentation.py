# SPDX-License-Identifier: Apache-2.0
"""The reference covers the sources: every directive, provider, variable, reason and message number, and nothing else."""

import pathlib
import re

import pytest
from pyclerk.settings import ROWS

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCES = {path.relative_to(TOP).as_posix(): path.read_text() for path in sorted(TOP.glob("src/**/*.[ch]"))}
CODE = "\n".join(SOURCES.values())
DIRECTIVES = (TOP / "docs/directives.md").read_text()
TROUBLESHOOTING = (TOP / "docs/troubleshooting.md").read_text()
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]


def headings(text):
    return re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)


def directives_in_the_sources():
    containers = re.findall(r'AP_INIT_\w+\(\s*"(<?Clerk\w+)"', SOURCES["src/httpd/config/directives.c"])
    return containers + [row.directive for row in ROWS]


def test_the_sources_have_directives():
    assert len(directives_in_the_sources()) > 20


@pytest.mark.parametrize("name", directives_in_the_sources())
def test_every_directive_has_one_section(name):
    name = f"{name}>" if name.startswith("<") else name
    assert headings(DIRECTIVES).count(f"`{name}`") == 1
    section = DIRECTIVES.split(f"### `{name}`\n")[1].split("\n### ")[0]
    assert "**Syntax**" in section and "**Context**" in section and "```apache" in section


def about(row):
    """{"Syntax": ..., "Default": ..., "Context": ..., "Range": ...}"""
    section = DIRECTIVES.split(f"### `{row.directive}`\n")[1].split("\n### ")[0]
    return dict(re.findall(r"\*\*(\w+)\*\* (.*?)(?= · \*\*|\n)", section))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.directive)
def test_the_section_says_where_a_directive_may_stand(row):
    context = "S, I" if row.of_instance else "G" if row.group == "MAIN" else "S" if row.group == "HOST" else "S, D" if row.group == "ADMIN" else "S, D, H"
    assert about(row)["Context"] == context


UNITS = {"MILLISECONDS": "ms", "SECONDS": "s", "MINUTES": "m", "HOURS": "h", "DAYS": " days", "KIB": "K", "MIB": "M", "GIB": "G"}


def amount(argument):
    """MINUTES(5) as the documentation writes it."""
    unit, number = re.match(r"(?:(\w+)\()?(\d+)", argument).groups()
    return number + UNITS[unit] if unit else number


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind in ("DURATION", "SIZE")], ids=lambda row: row.directive)
def test_the_section_says_range_and_default(row):
    least, most, default = map(amount, row.arguments)
    assert about(row)["Range"] == f"{least} to {most}"
    assert default == "0" or about(row)["Default"] == f"`{default}`"


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind in ("FLAG", "WORD", "WORDS")], ids=lambda row: row.directive)
def test_the_section_says_the_words_and_the_default(row):
    words = {"1": "On", "0": "Off"} if row.kind == "FLAG" else row.words
    assert about(row)["Syntax"].strip("`").startswith(f"{row.directive} {'|'.join(words.values())}")
    assert row.kind == "WORDS" or about(row)["Default"] == f"`{words[row.arguments[0]]}`"


def test_no_section_describes_a_directive_that_is_not_there():
    described = {name.strip("`").strip("<>") for name in headings(DIRECTIVES) if re.match(r"`<?Clerk", name)}
    assert described - {name.strip("<") for name in directives_in_the_sources()} == set()


def test_every_directive_that_is_mentioned_is_there():
    known = {name.strip("<") for name in directives_in_the_sources()} | {"ClerkJS"}  # Clerk's script
    for page in [*PAGES, TOP / "conf/auth_clerk.conf", *(TOP / "docs/recipes").iterdir()]:
        mentioned = set(re.findall(r"\bClerk[A-Z][A-Za-z]+\b", page.read_text()))
        assert mentioned - known == set(), page


def test_the_sample_configuration_works(make_httpd):
    server = make_httpd()
    key = server.secret_file("key", "sk_live_x")
    text = re.sub(r"^#(?=\S|    )", "", (TOP / "conf/auth_clerk.conf").read_text(), flags=re.M)
    text = re.sub(r"file:\S+", f"file:{key}", text.replace("pk_live_...", "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"))
    assert "\nClerkSecretKey" in text and "\n    Require  clerk-role admin" in text
    server.configure(text)
    code, output = server.check("-D", "DUMP_CLERK")
    assert code == 0 and "AC3" not in output and "2 protected by Clerk, 0 optional, 0 OPEN" in output, output
    server.configure((TOP / "conf/auth_clerk.conf").read_text())
    assert server.check()[0] == 0


def test_sections_stand_in_the_order_of_the_table():
    described = [name.strip("`").strip("<>") for name in headings(DIRECTIVES) if re.match(r"`<?Clerk", name)]
    table = [name.strip("<") for name in directives_in_the_sources()]
    assert described == [name for name in table if name in described]


def test_every_provider_is_described():
    sources = "".join(text for path, text in SOURCES.items() if path.startswith("src/httpd/authz"))
    names = set(re.findall(r'"(clerk-[a-z]+)"', sources))
    table = DIRECTIVES.split("## `Require` providers")[1].split("\n## ")[0]
    rows = set(re.findall(r"`(clerk-[a-z]+)", "".join(re.findall(r"^\|.*?\|", table, re.M))))
    assert names and rows == names


def test_every_variable_is_described():
    names = set(re.findall(r'"(CLERK_[A-Z_]+)"', SOURCES["src/httpd/application/variables.c"]))
    assert names and [name for name in sorted(names) if name not in DIRECTIVES] == []


def metrics():
    """(object, member, the rest of the row) of each metric of the status page that has a name in JSON."""
    objects = {"KEYS": "keys", "FETCHES": "keys", "BACKEND": "backend_api", "CACHE": "token_cache",
               "CREDENTIALS": "credentials", "SESSIONS": "sessions", "PROFILES": "user_profiles",
               "CHECKS": "session_checks", "WEBHOOKS": "webhooks", "REVOCATIONS": "revocations"}
    rows = re.findall(r'\{CLERK_METRICS_(\w+), "(\w+)", (.*?)\},$', SOURCES["src/httpd/status/metrics.c"], re.M | re.S)
    return [(objects[group], name, row) for group, name, row in rows]


def test_every_metric_is_described():
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", (TOP / "docs/status.md").read_text(), re.M)
    described = {name for first, _ in rows for name in re.findall(r"`(keys\.\w+)`", first)}
    described |= {f"{first.strip('`')}.{name}" for first, second in rows for name in re.findall(r"`(\w+)`:", second)}
    assert len(metrics()) > 10
    for thing, name, row in metrics():
        assert f"{thing}.{name}" in described, name
        assert re.search(r'\.help = "[A-Z][^"]*\."', row), name


def reasons():
    return sorted(set(re.findall(r'\] = "([a-z-]+)"', SOURCES["src/clerk/reason.c"])))


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_has_a_section(reason):
    assert headings(TROUBLESHOOTING).count(f"`{reason}`") == 1


def test_every_refresh_reason_is_described():
    fragments = set(re.findall(r'return (?:[^;"]*\? )?"([a-z-]+)"', SOURCES["src/clerk/browser/refresh.c"]))
    assert len(fragments) >= 5
    for fragment in fragments:
        assert f"`session-token-expired-refresh-{fragment}`" in TROUBLESHOOTING, fragment


def message_numbers():
    numbers = re.findall(r"CLERK_LOGNO\(\s*(\d{4})\)", CODE) + re.findall(r"clerk_log\(\s*CLERK_LOG_\w+,\s*(\d{4})", CODE)
    return sorted(set(numbers))


def test_the_sources_have_messages():
    assert len(message_numbers()) > 20


def test_every_message_number_is_described_once():
    tables = [re.findall(r"^\| AC(\d{4}) \|", table, re.M) for table in TROUBLESHOOTING.split("\n\n")]
    assert all(table == sorted(table) for table in tables)
    assert sorted(sum(tables, [])) == message_numbers()


def test_messages_name_commands_that_are_there():
    """What needs a closer look says which command takes one."""
    named = dict(re.findall(r'(?:LOGNO\(|clerk_log\(CLERK_LOG_\w+,\s*)(\d{4})(?:[^;]|;(?!\n))*?clerkctl (\w+)', CODE))
    commands = set(re.findall(r'\{"(\w+)", run_', SOURCES["src/ctl/arguments.c"]))
    assert set(named.values()) <= commands
    assert {"1001", "1008", "2002", "3050", "3051", "3100", "3101", "3250"} <= set(named), named


def anchor(heading):
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?://", target):
            continue
        name, _, fragment = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if fragment:
            assert fragment in [anchor(heading) for heading in headings(file.read_text())], target
