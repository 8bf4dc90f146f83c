# SPDX-License-Identifier: Apache-2.0
"""MediaWiki with docs/recipes/mediawiki.conf and .php: its users are Clerk's, under names that MediaWiki allows, and nothing that somebody
writes is lost when a token lapses."""

import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest
from pyclerk.clerk import NAVIGATION, XHR, cookie_header
from real import ALICE, BOB, CAROL, RECIPES, TREE, WITHOUT_SCRIPT, ask, give, php_settings, recipe_of_acme

# `without` is for tests that show what the recipe prevents, `race` for one that cannot wait for chance, `members` for what docs/recipes.md
# says of a wiki where only members edit.
SETTINGS = """
$wgServer = 'http://' . ($_SERVER['HTTP_HOST'] ?? 'localhost');
if (isset($_GET['race'])) {
    $wgExtensionFunctions[] = function () {
        User::createNew($_GET['race']);
        MediaWiki\\MediaWikiServices::getInstance()->getDBLoadBalancerFactory()->commitPrimaryChanges('race');
    };
}
if (isset($_GET['members'])) {
    require '%(directory)s/members.php';
    $wgGroupPermissions['user']['edit'] = false;
    $wgGroupPermissions['editor']['edit'] = true;
} elseif (!isset($_GET['without'])) {
    require '%(directory)s/clerk.php';
}
"""
PASSWORD = "a password of mediawiki"


def unpack(base):
    """As Debian installs it: programs, what httpd serves (mostly links to these), settings, a cache and logs, with absolute links from one
    to the other. The last two are named not in LocalSettings.php but in the package's includes/PlatformSettings.php; installing the
    package makes them and gives them to the user of httpd. Where they are missing and PHP may not make them, MediaWiki answers each request
    for which it compiles the texts of its interface with 500: "Unable to open CDB file for write"."""
    places = {"/usr/share/mediawiki": base / "share", "/var/lib/mediawiki": base / "lib", "/etc/mediawiki": base / "etc",
              "/var/cache/mediawiki": base / "cache", "/var/log/mediawiki": base / "log"}

    def moved(text):
        for place, directory in places.items():
            text = text.replace(place, str(directory))
        return text

    for place, directory in places.items():
        if (TREE / place[1:]).is_dir():
            shutil.copytree(TREE / place[1:], directory, symlinks=True)
        directory.mkdir(exist_ok=True)
        for path in [pathlib.Path(top, name) for top, directories, files in os.walk(directory) for name in directories + files]:
            if path.is_symlink() and moved(target := os.readlink(path)) != target:
                path.unlink()
                path.symlink_to(moved(target))
    settings = base / "share/includes/PlatformSettings.php"
    assert "= '/var/cache/mediawiki'" in settings.read_text()
    settings.write_text(moved(settings.read_text()))
    return base / "lib"


def recipe_of_members():
    recipe, page = recipe_of_acme("mediawiki.php"), (RECIPES.parent / "recipes.md").read_text()
    (groups,) = re.findall(r"^```php\n(const GROUPS = .*;)\n```$", page, re.M)
    assert "\n```php\n" + SETTINGS.partition("members.php';\n")[2].partition("}")[0].replace("    ", "") + "```\n" in page
    recipe, count = re.subn(r"const GROUPS = [^;]*;", groups, recipe)
    assert count == 1
    return recipe


def php_program(wiki, program, *arguments, text=None):
    options = [word for setting in php_settings() for word in ("-d", setting)]
    done = subprocess.run(["php", "-n", *options, wiki.root / "maintenance" / program, *arguments], input=text, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wiki(make_site, php, database, workdir):
    wiki, base = make_site(), workdir / "mediawiki"
    wiki.root, wiki.database = unpack(base), database
    php_program(wiki, "install.php", "--server", wiki.origin, "--scriptpath", "", "--confpath", base / "etc", "--dbtype", "mysql",
                "--dbserver", f"localhost:{database.socket}", "--dbname", "mediawiki", "--dbuser", "root", "--pass", PASSWORD, "Test", "Root")
    (base / "etc/clerk.php").write_text(recipe_of_acme("mediawiki.php"))
    (base / "etc/members.php").write_text(recipe_of_members())
    with open(base / "etc/LocalSettings.php", "a", encoding="utf-8") as settings:
        settings.write(SETTINGS % {"directory": base / "etc"})
    (wiki.root / "images/deleted").mkdir()
    (wiki.root / "images/deleted/page.txt").write_text("deleted")
    give(base)
    wiki.values = {"SITE_ROOT": wiki.root, "PHP_FPM": f"unix:{php.socket}"}
    return wiki.configure("mediawiki.conf", WITHOUT_SCRIPT, **wiki.values)


@pytest.fixture
def another(wiki, make_site):
    """another(recipe, more, production): the same wiki behind another httpd."""
    made = []

    def make(recipe="mediawiki.conf", more=WITHOUT_SCRIPT, production=True):
        made.append(make_site(production))
        made[-1].database = wiki.database
        if not production:
            made[-1].server.log.announce("AC3012: .* is a development instance")
        return made[-1].configure(recipe, more, **wiki.values)

    yield make
    for site in made:
        site.server.stop()


@pytest.fixture(scope="module")
def public_recipe(workdir):
    """What the comment in the recipe says of a wiki that everybody may read."""
    text = (RECIPES / "mediawiki.conf").read_text()
    assert text.count("Require valid-user") == 1 and "Require clerk-optional." in text
    path = workdir / "mediawiki-public.conf"
    path.write_text(text.replace("Require valid-user", "Require clerk-optional"))
    return path


def row(wiki, sql):
    return wiki.database.query(sql, "mediawiki").strip()


def api(site, who, method="GET", headers=None, query="", **parameters):
    parameters = {"format": "json", "formatversion": 2} | parameters
    if method == "GET":
        query, body = query + "&" + urllib.parse.urlencode(parameters), None
    else:
        body = {name: urllib.parse.quote(str(value)) for name, value in parameters.items()}
    answer = ask(site, "/api.php?" + query, who, headers, method, body)
    assert answer.status == 200, answer
    return answer.json()


def me(site, who, **options):
    """Name and groups, as MediaWiki sees it; visitors are IP addresses to it."""
    info = api(site, who, action="query", meta="userinfo", uiprop="groups", **options)["query"]["userinfo"]
    return None if "anon" in info else info["name"], set(info["groups"]) - {"autoconfirmed"}


def name_of(site, name):
    return me(site, (name, None))[0]


def token(site, who):
    return api(site, who, action="query", meta="tokens")["query"]["tokens"]["csrftoken"]


def write(site, who, title, text="Text.", **options):
    return api(site, who, "POST", action="edit", title=title, text=text, **{"token": token(site, who)} | options)


def author(wiki, title):
    return row(wiki, "SELECT actor_name FROM page JOIN revision ON page_latest = rev_id JOIN actor ON rev_actor = actor_id "
               f"WHERE page_title = '{title}'")


def source(site, title, who=BOB):
    answer = ask(site, f"/index.php?title={title}&action=raw", who)
    return answer.text if answer.status == 200 else None


def test_signed_in_only(wiki):
    for path in ("/", "/index.php", "/index.php?title=Main_Page", "/index.php/Main_Page", "/api.php", "/rest.php/v1/page/Main_Page", "/load.php",
                 "/img_auth.php/x", "/resources/assets/licenses/cc-0.png"):
        assert ask(wiki, path).status == 401, path
    assert "/clerk/sign-in?redirect_url=" in ask(wiki, "/", None, NAVIGATION).location
    page = ask(wiki, "/index.php?title=Main_Page", BOB)
    assert page.status == 200 and "/clerk/sign-out?redirect_url=" in page.text and "private" in page.header("Cache-Control")
    assert not any(line for line in page.all("Set-Cookie") if "mediawiki" in line), "there is no session but Clerk's"
    assert ask(wiki, "/rest.php/v1/page/Main_Page", BOB).json()["title"] == "Main Page"
    assert ask(wiki, "/load.php?modules=startup&only=scripts", BOB).status == ask(wiki, "/resources/assets/licenses/cc-0.png", BOB).status == 200
    for path in ("/mw-config/", "/mw-config/index.php", "/maintenance/eval.php", "/includes/Setup.php", "/includes/Setup.php/x", "/vendor/autoload.php",
                 "/extensions/Cite/src/Cite.php", "/languages/Names.php", "/images/deleted/page.txt", "/images/deleted/", "/cache/",
                 "/vendor/composer/installed.json"):
        assert ask(wiki, path, ALICE).status == 403, path


def test_what_the_users_are_called(wiki):
    """Made at the first visit, from the profile; with what Clerk knows."""
    assert name_of(wiki, "bob") == "Bob"
    stored = row(wiki, "SELECT user_real_name, user_email, user_email_authenticated IS NULL FROM user WHERE user_name = 'Bob'")
    assert stored == "Bob Cratchit\tbob@example.test\t0"
    for name, display_name, username, called in [
            ("n1", "Émile Zola", None, "Émile Zola"), ("n2", "ärger", None, "Ärger"), ("n3", "e\u0301mile zola", None, "Émile zola"),
            ("n4", "Émile Zola", None, "Émile Zola 2"), ("n5", "Nobody", "o'neill_b.c-d", "O'neill b.c-d"),
            ("n6", "<b>[[Talk:Root]]</b>/{{x}}#y|z", None, "B Talk Root b x y z"), ("n7", "Nobody", "10.0.0.1", "User n7"),
            ("n8", "MediaWiki default", None, "User n8"), ("n9", "\u202e\u200b", None, "User n9"), ("n10", "User n11", None, "User n11"),
            ("n11", " ", None, "User n11 2"), ("n12", "x" * 300, None, "X" + "x" * 59), ("n13", "N@example.test", None, "N"),
            ("n14", "李小龍", None, "李小龍"), ("n15", "Nobody", "root", "Root 2")]:
        wiki.instance.add_user(name, display_name, profile={"username": username})
        assert name_of(wiki, name) == name_of(wiki, name) == called
    assert me(wiki, ("n15", None))[1] == {"*", "user"}, "an administrator of before, Root, is somebody else"


def test_a_name_that_changes(wiki, another):
    """Who has been here keeps the name; whoever is called so at Clerk by then is another."""
    named = WITHOUT_SCRIPT + "<Location />\nClerkRemoteUser email\n</Location>\n"
    site = another(more=named)
    heidi, ivan = (site.instance.add_user(name) for name in ("heidi", "ivan"))
    heidi.claims = {"email": "heidi@example.test"}
    assert name_of(site, "heidi") == "Heidi"
    assert write(site, ("heidi", None), "Of Heidi")["edit"]["result"] == "Success"
    heidi.claims, ivan.claims = {"email": "adelheid@example.test"}, {"email": "Heidi@example.com"}
    assert (name_of(site, "heidi"), name_of(site, "ivan")) == ("Heidi", "Heidi 2")
    assert author(wiki, "Of_Heidi") == "Heidi" and row(wiki, "SELECT COUNT(*) FROM user WHERE user_name LIKE 'Adel%'") == "0"
    # An administrator of the wiki may rename.
    row(wiki, "UPDATE user SET user_name = 'Adelheid' WHERE user_name = 'Heidi'; UPDATE actor SET actor_name = 'Adelheid' WHERE actor_name = 'Heidi'")
    assert (name_of(site, "heidi"), name_of(site, "ivan")) == ("Adelheid", "Heidi 2")


def test_two_who_want_the_same_name_at_the_same_moment(wiki):
    wiki.instance.add_user("judy")
    wiki.server.log.announce("AH01071")
    assert ask(wiki, "/index.php?race=Judy", ("judy", None)).status == 503
    assert name_of(wiki, "judy") == "Judy 2"


def test_settings_of_the_user_do_not_count(wiki):
    """Nobody loses, or gets, a user by a form or a call of the API."""
    wiki.instance.add_user("kim")
    kim = ("kim", None)
    assert name_of(wiki, "kim") == "Kim"
    assert "warnings" in api(wiki, kim, "POST", action="options", token=token(wiki, kim), optionname="clerk-user_alice", optionvalue="1")
    assert api(wiki, kim, "POST", action="options", token=token(wiki, kim), optionname="gender", optionvalue="female")["options"] == "success"
    assert row(wiki, "SELECT up_value FROM user_properties JOIN user ON up_user = user_id WHERE user_name = 'Kim' AND up_property = 'gender'") == "female"
    for options in ({"reset": 1}, {"reset": 1, "resetkinds": "all"}):
        assert api(wiki, kim, "POST", action="options", token=token(wiki, kim), **options)["options"] == "success"
    assert row(wiki, "SELECT up_property FROM user_properties JOIN user ON up_user = user_id WHERE user_name = 'Kim'") == "clerk-user_kim"
    assert name_of(wiki, "kim") == "Kim"


def test_a_name_that_the_wiki_takes_for_itself(wiki):
    """A user who becomes a part of MediaWiki or of an extension is nobody's any more."""
    wiki.instance.add_user("lea")
    assert name_of(wiki, "lea") == "Lea"
    php_program(wiki, "eval.php", text="User::newSystemUser('Lea', ['steal' => true]);\n")
    assert name_of(wiki, "lea") == "Lea 2"


def test_roles_follow_clerk(wiki):
    assert {"sysop", "bureaucrat"} <= me(wiki, ALICE)[1]
    for who in (BOB, CAROL, ("alice", None), ("dave", "globex")):  # dave is admin of another organization
        assert me(wiki, who)[1] == {"*", "user"}, who
    assert write(wiki, BOB, "Deleted")["edit"]["result"] == "Success"
    assert api(wiki, BOB, "POST", action="delete", title="Deleted", token=token(wiki, BOB))["error"]["code"] == "permissiondenied"
    assert api(wiki, ALICE, "POST", action="delete", title="Deleted", token=token(wiki, ALICE))["delete"]["title"] == "Deleted"


def test_a_role_that_clerk_takes_away(wiki):
    acme, user = wiki.instance.organizations["acme"], wiki.instance.add_user("erin", memberships={"acme": "admin"})
    erin = ("erin", "acme")
    assert "sysop" in me(wiki, erin)[1]
    given = api(wiki, ALICE, action="query", meta="tokens", type="userrights")["query"]["tokens"]["userrightstoken"]
    groups = ["bot", "interface-admin", "suppress", "sysop"]
    added = api(wiki, ALICE, "POST", action="userrights", user="Erin", add="|".join(groups), token=given)["userrights"]["added"]
    assert sorted(added) == groups
    acme.members[user.id] = "org:member"
    assert me(wiki, erin)[1] == {"*", "user", "bot"}, "nor does it matter that somebody made her sysop in the wiki"


def test_a_wiki_where_only_members_edit(wiki):
    for who, allowed in ((ALICE, True), (BOB, True), (CAROL, False), (("dave", "globex"), False)):
        assert me(wiki, who, query="members=1")[1] >= ({"editor"} if allowed else set())
        answer = write(wiki, who, f"Of members {who[0]}", query="members=1")
        assert answer.get("edit", {}).get("result") == "Success" if allowed else answer["error"]["code"] == "permissiondenied", answer
    assert "delete" in api(wiki, ALICE, "POST", query="members=1", action="delete", title="Of members bob", token=token(wiki, ALICE))


def test_headers_from_outside(wiki, another, public_recipe):
    forged = {name: "user_alice" for name in ("Remote-User", "X-Remote-User", "Remote_User", "REMOTE_USER", "CLERK_USER_ID", "Clerk-User-Id",
                                              "X-Clerk-User-Id", "Redirect-Clerk-User-Id", "X-Forwarded-User")}
    forged |= {name: "org_acme" for name in ("CLERK_ORG_ID", "Clerk-Org-Id", "X-Clerk-Org-Id")}
    forged |= {name: "org:admin" for name in ("CLERK_ORG_ROLE", "Clerk-Org-Role", "X-Clerk-Org-Role")}
    public = another(public_recipe)
    assert me(public, None, headers=forged) == (None, {"*"})
    assert me(public, BOB, headers=forged) == me(wiki, BOB, headers=forged) == ("Bob", {"*", "user"})
    assert ask(wiki, "/index.php", None, forged).status == 401


def test_a_public_wiki(wiki, another, public_recipe):
    public = another(public_recipe)
    page = ask(public, "/index.php?title=Main_Page")
    assert page.status == 200 and "/clerk/sign-in?redirect_url=" in page.text and "ca-viewsource" in page.text
    assert ask(public, "/rest.php/v1/page/Main_Page").status == 200
    assert write(public, None, "Of nobody")["error"]["code"] == "permissiondenied" and source(wiki, "Of_nobody") is None
    assert write(public, BOB, "Of Bob")["edit"]["result"] == "Success" and author(wiki, "Of_Bob") == "Bob"
    for page, there, back in (("UserLogin&returnto=Main+Page&returntoquery=action%3Dhistory", "sign-in", "/index.php?title=Main_Page&action=history"),
                              ("CreateAccount", "sign-up", "/index.php?title=Main_Page"), ("Watchlist", "UserLogin", None)):
        answer = ask(public, f"/index.php?title=Special:{page}", None, NAVIGATION)
        assert answer.status == 302 and there in answer.location, answer
        assert back is None or urllib.parse.unquote(answer.location).endswith("redirect_url=" + public.origin + back)
    # A browser that has the page of a visitor, and signs in.
    shown = ask(public, "/index.php?title=Main_Page", BOB, XHR | {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"})
    assert shown.status == 200 and "/clerk/sign-out" in shown.text
    for path in ("/mw-config/index.php", "/includes/Setup.php", "/images/deleted/page.txt"):
        assert ask(public, path).status in (401, 403), path


def log_in(site, query):
    """By MediaWiki's own password. @return the status of clientlogin and of login"""
    tokens = ask(site, f"/api.php?action=query&meta=tokens&type=login&format=json&{query}")
    cookies = cookie_header(tokens.cookies())
    sent = {"logintoken": tokens.json()["query"]["tokens"]["logintoken"], "username": "Root", "password": PASSWORD, "loginreturnurl": site.origin}
    client = api(site, None, "POST", cookies, query, action="clientlogin", **sent)
    old = api(site, None, "POST", cookies, query, action="login", lgname="Root", lgpassword=PASSWORD, lgtoken=sent["logintoken"])
    return client.get("clientlogin", {}).get("status"), old.get("login", {}).get("result")


def test_a_password_of_mediawiki_signs_nobody_in(wiki, another, public_recipe):
    public = another(public_recipe)
    assert "PASS" in log_in(public, "without=1")
    assert log_in(public, "") == (None, "Aborted")
    assert log_in(public, "") != log_in(public, "without=1")
    form = {"wpName": "Root", "wpPassword": urllib.parse.quote(PASSWORD), "wploginattempt": "Log+in", "wpEditToken": "%2B%5C"}
    answer = ask(public, "/index.php?title=Special:UserLogin", None, NAVIGATION, "POST", form)
    assert answer.status == 302 and "/clerk/sign-in" in answer.location and not answer.cookies().keys() & {"mediawikiUserID", "mediawiki_session"}
    assert ask(wiki, "/index.php?title=Special:UserLogin", None, XHR, "POST", form).status == 401
    for page in ("PasswordReset", "ChangeCredentials", "BotPasswords", "LinkAccounts"):
        assert "type='password'" not in ask(public, f"/index.php?title=Special:{page}", BOB).text.replace('"', "'"), page


def test_a_cookie_of_mediawiki_signs_nobody_in(wiki, another, public_recipe):
    """Nor does one from before, "Keep me logged in"."""
    public = another(public_recipe)
    kept = php_program(wiki, "eval.php", text="echo User::newFromName('Root')->getToken();\n").strip().split()[-1]
    cookies = cookie_header({"mediawikiUserID": "1", "mediawikiUserName": "Root", "mediawikiToken": kept})
    assert me(public, None, headers=cookies, query="without=1")[0] == "Root"
    assert me(public, None, headers=cookies) == (None, {"*"})


def test_the_api_asks_for_a_token(wiki):
    """Browsers send Clerk's cookie to whatever page they are told to; MediaWiki must know its own pages by the token."""
    for wrong in ("+\\", token(wiki, BOB), "0" * 40 + "+\\"):
        assert write(wiki, ALICE, "Forged", token=wrong)["error"]["code"] == "badtoken"
    assert source(wiki, "Forged") is None
    assert me(wiki, ALICE, query="origin=*") == (None, {"*"}), "a script of another site"
    assert write(wiki, ALICE, "By a script")["edit"]["result"] == "Success"
    assert author(wiki, "By_a_script") == "Alice" and source(wiki, "By_a_script") == "Text."


def open_editor(site, browser, title, text):
    seen = browser.open(f"{site.origin}/index.php?title={title}&action=edit")
    assert seen["status"] == 200, seen
    browser.fill("#wpTextbox1", text)


def await_source(wiki, browser, title, text):
    deadline = time.monotonic() + 60
    while source(wiki, title) != text:
        assert time.monotonic() < deadline, browser.where()["text"]
        time.sleep(0.1)


def test_an_article_outlives_its_token(wiki, browser):
    wiki.sign_in(browser, "/index.php?title=Main_Page", "bob", "acme")
    open_editor(wiki, browser, "Slow", "Written slowly, all of it.")
    before = wiki.renewals()
    wiki.lapse(browser)
    assert "Written slowly, all of it." in browser.click("#wpSave")["text"]
    assert wiki.renewals() > before and source(wiki, "Slow") == "Written slowly, all of it." and author(wiki, "Slow") == "Bob"
    browser.screenshot("mediawiki")
    # A script of MediaWiki's own, as for the watchlist, with its token of before.
    before = wiki.renewals()
    wiki.lapse(browser)
    assert browser.evaluate("new mw.Api().watch('Slow').then(done => done.watched)") is True
    assert wiki.renewals() > before


@pytest.mark.parametrize("how", ["kept", "alive", "renewed"])
@pytest.mark.parametrize("production", [True, False], ids=["production", "development"])
def test_nothing_that_was_written_is_lost(wiki, another, browser, production, how):
    """By whatever means: the page that keeps the form, the script that keeps the session fresh, or the Backend API."""
    site = another(more="" if how == "alive" else WITHOUT_SCRIPT, production=production)
    site.sign_in(browser, "/index.php?title=Main_Page", "bob", "acme", ttl=5 if how == "alive" else 60)
    title = f"Matrix_{how}_{production}"
    for text in ("The first version, written slowly.", "The second version, written slowly."):
        browser.evaluate("sessionStorage.clear()")  # the page that keeps a form does not send twice in half a minute
        open_editor(site, browser, title, text)
        if how == "alive":
            site.live_through_two_lapses(browser)
        else:
            site.lapse(browser)
        if how == "kept":
            browser.clear(f"__refresh_{site.instance.cookie_suffix}")
        browser.evaluate("void setTimeout(() => document.querySelector('#wpSave').click())")
        await_source(wiki, browser, title, text)
        browser.see(text)


def test_without_javascript(wiki, open_browser):
    """The request that saves renews the session, with the refresh cookie and the secret key."""
    browser = open_browser(scripts=False)
    session = wiki.enter(browser, "bob", "acme")
    for text in ("The first plain version.", "The second plain version."):
        open_editor(wiki, browser, "Plain", text)
        before = wiki.renewals()
        wiki.lapse(browser, session)
        assert text in browser.click("#wpSave")["text"]
        assert wiki.renewals() > before and source(wiki, "Plain") == text


@pytest.mark.parametrize("skin", ["vector", "vector-2022", "monobook", "minerva", "timeless"])
def test_signing_in_and_out_is_clerks(another, public_recipe, browser, skin):
    """By the links of each skin that comes with MediaWiki."""
    public = another(public_recipe, "")
    page = f"/index.php?title=Main_Page&useskin={skin}"

    def follow(*pages):
        """The first link to one of these pages. The scripts of the skin may have taken it over."""
        links = ", ".join(f'a[href*="{page}"]' for page in pages)
        browser.wait(f"document.querySelector('{links}') && mw.loader.getState('mediawiki.page.ready') === 'ready'")
        browser.evaluate(f"void setTimeout(() => document.querySelector('{links}').click())")

    browser.open(public.origin + page)
    follow("/clerk/sign-in?", "Special:UserLogin")
    browser.arrive("/clerk/sign-in")
    public.sign_in(browser, "/index.php?title=Special:UserLogin&returnto=Main_Page", "bob", then=page)
    assert browser.evaluate("mw.config.get('wgUserName')") == "Bob"
    follow("/clerk/sign-out?", "Special:UserLogout")
    deadline = time.monotonic() + 60
    while "__session" in browser.cookies():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    browser.wait("document.readyState === 'complete' && window.mw?.config?.get('wgUserName') === null")
    assert browser.where()["url"].startswith(public.origin + "/index.php?title=Main_Page")
    public.server.stop()
