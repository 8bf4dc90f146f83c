# SPDX-License-Identifier: Apache-2.0
"""The documentation as pages with search, as its package serves them: what is typed there is found."""

import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
INSTALLED = "/usr/share/doc/libapache2-mod-auth-clerk-doc/html"


@pytest.fixture
def search(httpd, browser):
    """search(words): where the links of the results lead, the best one first."""
    done = subprocess.run([TOP / "scripts/book", "--output", httpd.root / "book"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    lines = (TOP / "conf/auth-clerk-doc.conf").read_text().replace(INSTALLED, f"{httpd.root}/book/html")
    httpd.configure(lines, global_text="AddType text/css .css\nAddType text/javascript .js\n").start()

    def search(words):
        browser.open(f"{httpd.origin()}/auth-clerk-doc/")
        browser.fill("input[name=q]", words)
        browser.press("input[name=q]", "Enter")
        browser.arrive("/auth-clerk-doc/search.html")
        browser.see("Search finished")
        return browser.evaluate("[...document.querySelectorAll('#search-results li a')].map(link => link.href.split('/auth-clerk-doc/')[1])")

    return search


def test_search_finds_words_headings_and_numbers_of_messages(search, browser):
    assert {"README.html", "docs/directives.html", "docs/recipes.html"} <= set(search("REMOTE_USER"))
    assert "docs/troubleshooting.html" in search("AC3024")
    assert search("ClerkRevocationPoll")[0] == "docs/directives.html#clerkrevocationpoll"
    browser.screenshots("book-search")
    browser.press_button("#search-results li a")
    browser.arrive("/auth-clerk-doc/docs/directives.html")
    assert browser.evaluate("document.querySelector(':target h3').innerText").startswith("ClerkRevocationPoll")
    browser.screenshots("book-directive")
