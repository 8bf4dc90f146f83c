# SPDX-License-Identifier: Apache-2.0
"""DokuWiki with docs/recipes/dokuwiki.conf and .php: groups follow Clerk's roles, and a page that is written slowly is saved."""

import time

import pytest
from pyclerk.clerk import NAVIGATION, XHR
from real import ALICE, BOB, WITHOUT_SCRIPT, ask, give, recipe_of_acme

LOCAL = """<?php
$conf['title'] = 'Test'; $conf['useacl'] = 1; $conf['authtype'] = 'authclerk'; $conf['superuser'] = '@admin';
$conf['savedir'] = '%(data)s'; $conf['updatecheck'] = 0; $conf['disableactions'] = 'register'; $conf['notify'] = '';
"""
ACL = "* @ALL 1\n* @user 8\n"


@pytest.fixture(scope="module")
def wiki(make_site, copy, php, workdir):
    root = copy("usr/share/dokuwiki", "dokuwiki")
    for part in ("plugins", "tpl"):
        copy(f"var/lib/dokuwiki/lib/{part}", f"dokuwiki/lib/{part}")
    data, conf = copy("var/lib/dokuwiki/data", "dokuwiki-data"), copy("etc/dokuwiki", "dokuwiki/conf")
    (root / "inc/preload.php").write_text(f"<?php define('DOKU_CONF', '{conf}/'); define('DOKU_MAIN_CONF', '{conf}/');\n")
    (conf / "local.php").write_text(LOCAL % {"data": data})
    (conf / "acl.auth.php").unlink(missing_ok=True)
    (conf / "acl.auth.php").write_text(ACL)
    plugin = root / "lib/plugins/authclerk"
    plugin.mkdir()
    (plugin / "auth.php").write_text(recipe_of_acme("dokuwiki.php"))
    for parts in ("attic", "cache", "index", "locks", "log", "media", "media_attic", "media_meta", "meta", "pages", "tmp"):
        (data / parts).mkdir(exist_ok=True)
    give(root)
    give(data)
    wiki = make_site()
    wiki.data, wiki.values = data, {"SITE_ROOT": root, "PHP_FPM": f"unix:{php.socket}"}
    return wiki.configure("dokuwiki.conf", WITHOUT_SCRIPT, **wiki.values)


def test_visitors_read_and_members_write(wiki):
    answer = ask(wiki, "/doku.php?id=start")
    assert answer.status == 200 and "do=login" in answer.text
    assert 'name="do[save]"' not in ask(wiki, "/doku.php?id=start&do=edit").text
    member = ask(wiki, "/doku.php?id=start&do=edit", BOB)
    assert "user_bob" in member.text and 'name="do[save]"' in member.text
    assert 'name="do[save]"' not in ask(wiki, "/doku.php?id=start&do=edit", ("carol", None)).text


def test_administrators(wiki):
    assert "Configuration Settings" in ask(wiki, "/doku.php?id=start&do=admin", ALICE).text
    for who in (BOB, ("dave", "globex")):  # dave is admin of another organization
        assert "Configuration Settings" not in ask(wiki, "/doku.php?id=start&do=admin", who).text
    assert 'name="do[save]"' not in ask(wiki, "/doku.php?id=start&do=edit", ("dave", "globex")).text


def test_signing_in_is_clerks(wiki):
    answer = ask(wiki, "/doku.php?id=start&do=login", None, NAVIGATION)
    assert answer.status == 307 and "/clerk/sign-in?redirect_url=" in answer.location
    forged = ask(wiki, "/doku.php?id=start", None, XHR, "POST", {"u": "user_alice", "p": "x", "do": "login"})
    assert "do=logout" not in forged.text
    for path in ("/conf/local.php", "/inc/init.php", "/vendor/autoload.php", "/install.php"):
        assert ask(wiki, path, ALICE).status == 403, path
    assert not ask(wiki, "/lib/plugins/authclerk/auth.php", ALICE).body


def test_a_page_outlives_its_token(wiki, browser):
    wiki.sign_in(browser, "/doku.php?id=start&do=login", "bob", "acme", "/doku.php?id=slow&do=edit")
    browser.fill("#wiki__text", "Written slowly, all of it.")
    before = wiki.renewals()
    wiki.lapse(browser)
    assert "Written slowly, all of it." in browser.click("#edbtn__save")["text"]
    assert wiki.renewals() > before
    assert (wiki.data / "pages/slow.txt").read_text() == "Written slowly, all of it."
    browser.screenshot("dokuwiki")
    browser.click('a[href*="do=logout"]')
    assert "__session" not in browser.cookies() and "do=logout" not in browser.evaluate("document.body.innerHTML")


@pytest.mark.parametrize("alive", [False, True], ids=["kept", "alive"])
@pytest.mark.parametrize("production,secret", [(True, True), (True, False), (False, True), (False, False)],
                         ids=["production", "production-without-key", "development", "development-without-key"])
def test_nothing_that_was_written_is_lost(wiki, make_site, browser, production, secret, alive):
    """By whatever means: the Backend API, the page that keeps the form, or the script that keeps the session fresh."""
    site = make_site(production)
    site.server.log.announce("AC3012: .* is a development instance")
    site.configure("dokuwiki.conf", "" if alive else WITHOUT_SCRIPT, secret=secret, **wiki.values)
    site.sign_in(browser, "/doku.php?id=start&do=login", "bob", "acme", "/doku.php?id=matrix&do=edit", ttl=5 if alive else 60)
    for text in ("The first version, written slowly.", "The second version, written slowly."):
        browser.evaluate("sessionStorage.clear()")  # the page that keeps a form does not send twice in half a minute
        browser.open(site.origin + "/doku.php?id=matrix&do=edit")
        browser.fill("#wiki__text", text)
        if alive:
            site.live_through_two_lapses(browser)
        else:
            site.lapse(browser)
        browser.evaluate("void setTimeout(() => document.querySelector('#edbtn__save').click())")
        page, deadline = wiki.data / "pages/matrix.txt", time.monotonic() + 60
        while not page.exists() or page.read_text() != text:
            assert time.monotonic() < deadline, browser.where()["text"]
            time.sleep(0.05)
        browser.see(text)
    site.server.stop()


def test_without_javascript(wiki, open_browser):
    """The request that saves renews the session, with the refresh cookie and the secret key."""
    browser = open_browser(scripts=False)
    session = wiki.enter(browser, "bob", "acme")
    for text in ("The first plain version.", "The second plain version."):
        assert browser.open(wiki.origin + "/doku.php?id=plain&do=edit")["status"] == 200
        browser.fill("#wiki__text", text)
        before = wiki.renewals()
        wiki.lapse(browser, session)
        assert text in browser.click("#edbtn__save")["text"]
        assert wiki.renewals() > before
        assert (wiki.data / "pages/plain.txt").read_text() == text
