# SPDX-License-Identifier: Apache-2.0
"""What comments cite exists: protocol.md "How the code cites this page" has the grammar. Needs no httpd."""

import ast
import io
import pathlib
import re
import tokenize

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"
PROTOCOL = (DOCS / "protocol.md").read_text()
C_FILES = sorted([TOP / "mod_auth_clerk.c", *TOP.glob("include/*.h"), *TOP.glob("src/**/*.[ch]"), *TOP.glob("tests/**/*.[ch]")])
PYTHON_FILES = sorted(TOP.glob("tests/**/*.py"))
OTHER_FILES = sorted(
    path
    for pattern in (".ci/*", "scripts/*", "conf/*", "demo/**/*", "tests/**/*.mjs", "tests/**/*.lua", "tests/fuzz/replay",
                    "tests/bench/run", "configure.ac", "Makefile.am")
    for path in TOP.glob(pattern)
    if path.is_file() and "node_modules" not in path.parts
)


def several(item):
    return rf"{item}(?:(?:, | and | to ){item})*"


SECTION = r"(?:\d+(?:\.\d+)?|Appendix [A-Z])"
ROW = r"\d+[a-z]?"
CITATION = re.compile(
    rf"\b(?P<page>[\w-]+\.md)(?:"
    rf'(?<=protocol\.md) (?P<sections>{several(SECTION)})(?:, rows? (?P<rows>{several(ROW)}))?'
    rf"|(?<=differences\.md) rows? (?P<differences>{several(ROW)})"
    rf'| "(?P<heading>[^"]+)")?'
)
ELSEWHERE = re.compile(
    r"(?:RFC \d+|ECMA-262)(?:, (?:sections? |appendix )?[\dA-Z][\d.]*(?: (?:and|to) \d[\d.]*)*)?"
    r"|\b(?:APR|C|Debian|httpd|HTTP|jansson|Node\.js|OpenSSL|Python|TLS)[ /]\d[\d.]*"
)


def sections(page):
    """{number or heading: text} of a page."""
    found = {}
    for part in re.split(r"^(?=#+ )", re.sub(r"^```.*?^```", "", page, flags=re.M | re.S), flags=re.M):
        heading, _, text = part.partition("\n")
        heading = heading.lstrip("# ").replace("`", "")
        numbered = re.match(rf"({SECTION})\.? ", heading)
        found[numbered[1] if numbered and page is PROTOCOL else heading] = text
    return found


SECTIONS = sections(PROTOCOL)
DIFFERENCES = (DOCS / "differences.md").read_text()


def rows(text):
    return set(re.findall(rf"^\| ({ROW}) \|", text, re.M))


def items(text, item):
    return re.findall(item, text or "")


def problems(text):
    """What is wrong with the citations of a text, and the text without them."""
    found = []
    for citation in CITATION.finditer(text):
        page = TOP / "README.md" if citation["page"] == "README.md" else DOCS / citation["page"]
        cited = items(citation["sections"], SECTION)
        if not page.exists():
            found.append(f"there is no {page.name}")
        elif citation["heading"] and citation["heading"] not in sections(page.read_text()):
            found.append(f"{page.name} has no heading {citation['heading']}")
        found += [f"protocol.md has no section {section}" for section in cited if section not in SECTIONS]
        there = rows(SECTIONS.get(cited[-1], "")) if cited else set()
        found += [f"protocol.md {cited[-1]} has no row {row}" for row in items(citation["rows"], ROW) if row not in there]
        there = rows(DIFFERENCES)
        found += [f"differences.md has no row {row}" for row in items(citation["differences"], ROW) if row not in there]
    return found


def bare(text):
    """Citations that name no document."""
    text = ELSEWHERE.sub("", CITATION.sub("", text))
    words = re.findall(r"\bclerk-protocol\b|\b[Ii]nterface \d+|\barchitecture\b|\b(?:[Ss]ections?|[Aa]ppendix|[Rr]ows?) \d\S*|\bE\d+:", text)
    numbers = re.findall(r"(?<![\w./=-])(\d{1,2}\.\d{1,2})(?![\w%]|\.\d)", text)
    return words + [number for number in numbers if number in SECTIONS]


def plain(comment):
    """A comment in one line, without its marks."""
    return " ".join(re.sub(r"^\s*(?:/\*+<?|\*+/?|//+|#+)?|\*/\s*$", " ", line) for line in comment.splitlines()).replace("*/", " ")


def comments_of_c(text):
    tokens = re.findall(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|/\*.*?\*/|(?://[^\n]*(?:\n[ \t]*(?=//))?)+", text, re.S)
    return [token for token in tokens if token.startswith("/")]


def comments_of_python(text):
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append(ast.get_docstring(node) or "")
    last = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if last == token.start[0] - 1:
                found[-1] += "\n" + token.string
            else:
                found.append(token.string)
            last = token.start[0]
    return found


def comments(path):
    text = path.read_text("utf-8", "replace")
    if path.suffix in (".c", ".h", ".mjs"):
        found = comments_of_c(text)
    elif path.suffix == ".py":
        found = comments_of_python(text)
    else:
        found = re.findall(r"(?:^[ \t]*(?:#|//|--|dnl).*\n?)+", text, re.M)
    return [re.sub(r"\s+", " ", plain(comment)).strip() for comment in found]


def name(path):
    return path.relative_to(TOP).as_posix()


def test_comments_are_found():
    text = 'char *s = "/* no 6.7 */"; /** Yes (protocol.md\n * 6.7, rows 2 and\n * 3). */ int i; // and\n // this\n'
    assert [re.sub(r"\s+", " ", plain(c)).strip() for c in comments_of_c(text)] == [
        "Yes (protocol.md 6.7, rows 2 and 3).",
        "and this",
    ]
    text = '"""Yes."""\nx = "no"  # and\n# this\ndef f():\n    """Too."""\n'
    assert [plain(c).split() for c in comments_of_python(text)] == [["Yes."], ["Too."], ["and", "this"]]


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("protocol.md 6.7, rows 2 and 3b", []),
        ("protocol.md 6.7, row 99", ["protocol.md 6.7 has no row 99"]),
        ("protocol.md 7.3 to 7.7, 8 and Appendix B.", []),
        ("protocol.md 99.1", ["protocol.md has no section 99.1"]),
        ("differences.md rows 2, 12 and 15", []),
        ("differences.md row 999", ["differences.md has no row 999"]),
        ('directives.md "Require providers"', []),
        ('directives.md "No such"', ["directives.md has no heading No such"]),
        ("no-such-page.md", ["there is no no-such-page.md"]),
    ],
)
def test_wrong_citations_are_found(text, wrong):
    assert problems(text) == wrong
    assert bare(text) == []


@pytest.mark.parametrize(
    "text",
    ["(4.3)", "as in 6.7", "section 8", "Rows 2 and 3", "interface 5, row 17", "clerk-protocol 10", "E3: a loop", "Appendix 1"],
)
def test_citations_without_a_document_are_found(text):
    assert bare(text) != []


@pytest.mark.parametrize(
    "text", ["RFC 7519, 7.2", "RFC 7518, 6.2.1 and 6.3.1", "RFC 7517, section 5", "httpd 2.4", "a delay of 0.5 s", "version 3.20.1"]
)
def test_other_numbers_are_no_citations(text):
    assert bare(text) == []


@pytest.mark.parametrize("path", [path for path in C_FILES + PYTHON_FILES + OTHER_FILES if path.name != "test_sources.py"], ids=name)
def test_comments_cite_what_exists(path):
    for comment in comments(path):
        assert problems(comment) == [] and bare(comment) == [], comment


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_pages_cite_what_exists(page):
    for quoted in re.findall(r"`((?:protocol|differences)\.md [^`]+)`", re.sub(r"\s+", " ", page.read_text())):
        if not quoted.endswith("N"):
            assert problems(quoted) == [], quoted


def test_the_protocol_refers_to_its_own_sections():
    references = re.findall(r"(?<!RFC 7517, )\bsections? (\d+(?:\.\d+)?)(?: (?:to|and) (\d+\.\d+))?", PROTOCOL)
    cited = {number for pair in references for number in pair if number}
    assert len(cited) > 40 and cited - set(SECTIONS) == set()


def test_every_section_of_the_protocol_is_in_its_contents():
    contents = SECTIONS["Contents"]
    assert [number for number in SECTIONS if re.match(SECTION, number) and f"[{number}" not in contents] == []
