# SPDX-License-Identifier: Apache-2.0
"""WordPress with docs/recipes/wordpress.conf and .php: its users are Clerk's, and nothing that somebody writes is lost when a token lapses."""

import json
import re
import subprocess
import time

import pytest
from pyclerk.clerk import NAVIGATION
from real import ALICE, BOB, CAROL, RECIPES, WITHOUT_SCRIPT, ask, give, php_settings, recipe_of_acme

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:%(socket)s');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (array('AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT') as $name) {
    define($name, 'test ' . $name);
}
define('WP_HTTP_BLOCK_EXTERNAL', true); define('WP_ACCESSIBLE_HOSTS', 'localhost'); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_DEBUG', false);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) { define('ABSPATH', '%(root)s/'); }
require_once ABSPATH . 'wp-settings.php';
"""
INSTALL = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = parse_url($argv[1], PHP_URL_HOST) . ':' . parse_url($argv[1], PHP_URL_PORT);
$_SERVER['REQUEST_URI'] = '/';
define('WP_SITEURL', $argv[1]); define('WP_HOME', $argv[1]);
require $argv[2] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Test', 'root', 'root@example.test', true, '', 'a password of wordpress');
update_option('siteurl', $argv[1]); update_option('home', $argv[1]);
update_option('comment_moderation', 0); update_option('comment_previously_approved', 0);
update_option('can_compress_scripts', 0);
switch_theme('twentytwentyone');
"""


@pytest.fixture(scope="module")
def wordpress(make_site, copy, php, database):
    root = copy("usr/share/wordpress", "wordpress")
    for part in ("themes", "plugins"):
        copy(f"var/lib/wordpress/wp-content/{part}", f"wordpress/wp-content/{part}")
    (root / ".htaccess").unlink(missing_ok=True)
    (root / "wp-config.php").write_text(CONFIG % {"socket": database.socket, "root": root})
    (root / "wp-content/mu-plugins").mkdir(exist_ok=True)
    (root / "wp-content/mu-plugins/clerk.php").write_text(recipe_of_acme("wordpress.php"))
    give(root)
    wordpress = make_site()
    install = root.parent / "install.php"
    install.write_text(INSTALL)
    options = [word for setting in php_settings() for word in ("-d", setting)]
    done = subprocess.run(["php", "-n", *options, install, wordpress.origin, root], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout + done.stderr
    wordpress.root, wordpress.database = root, database
    wordpress.values = {"SITE_ROOT": root, "PHP_FPM": f"unix:{php.socket}"}
    return wordpress.configure("wordpress.conf", WITHOUT_SCRIPT, **wordpress.values)


def row(site, sql):
    return site.database.query(sql, "wordpress").strip()


def test_the_plugin_is_small():
    assert len((RECIPES / "wordpress.php").read_text().splitlines()) <= 40


def test_visitors_read(wordpress):
    answer = ask(wordpress, "/")
    assert answer.status == 200 and "Hello world" in answer.text and answer.header("X-Clerk-Auth-Reason")
    assert ask(wordpress, "/wp-admin/").status == 401
    assert ask(wordpress, "/wp-admin/admin-ajax.php").status == 400  # WordPress's own answer where there is no action
    assert ask(wordpress, "/xmlrpc.php", method="POST").status == 403 and ask(wordpress, "/wp-config.php").status == 403


@pytest.mark.parametrize("who,role,settings,writes", [(ALICE, "administrator", 200, 200), (BOB, "author", 403, 200), (CAROL, "subscriber", 403, 403)])
def test_roles_follow_clerk(wordpress, who, role, settings, writes):
    assert ask(wordpress, "/wp-admin/profile.php", who).status == 200
    assert role in row(wordpress, "SELECT meta_value FROM wp_usermeta JOIN wp_users ON user_id = ID "
                       f"WHERE user_login = 'user_{who[0]}' AND meta_key = 'wp_capabilities'")
    assert ask(wordpress, "/wp-admin/options-general.php", who).status == settings
    assert ask(wordpress, "/wp-admin/post-new.php", who).status == writes


def test_a_role_that_clerk_takes_away(wordpress):
    acme, user = wordpress.instance.organizations["acme"], wordpress.instance.add_user("erin", memberships={"acme": "admin"})
    assert ask(wordpress, "/wp-admin/options-general.php", ("erin", "acme")).status == 200
    acme.members[user.id] = "org:member"
    assert ask(wordpress, "/wp-admin/options-general.php", ("erin", "acme")).status == 403


def test_roles_in_other_organizations_do_not_count(wordpress):
    """Where users may create organizations, everybody can be admin of one."""
    assert ask(wordpress, "/wp-admin/profile.php", ("dave", "globex")).status == 200
    assert ask(wordpress, "/wp-admin/post-new.php", ("dave", "globex")).status == 403
    assert "subscriber" in row(wordpress, "SELECT meta_value FROM wp_usermeta JOIN wp_users ON user_id = ID "
                               "WHERE user_login = 'user_dave' AND meta_key = 'wp_capabilities'")


def test_a_password_of_wordpress_signs_nobody_in(wordpress):
    answer = ask(wordpress, "/wp-login.php", BOB, method="POST", body={"log": "root", "pwd": "a+password+of+wordpress", "wp-submit": "Log+In"})
    assert "Please sign in with Clerk" in answer.text and not any("wordpress_logged_in" in line for line in answer.all("Set-Cookie"))
    assert ask(wordpress, "/wp-login.php").status == 401


def nonce(site, who):
    return re.search(r'createNonceMiddleware\( "([0-9a-f]+)"', ask(site, "/wp-admin/post-new.php", who).text)[1]


def test_the_rest_api_asks_for_a_nonce(wordpress):
    """Browsers send Clerk's cookie to whatever page they are told to; WordPress must know its own pages by the nonce."""
    body = json.dumps({"title": "forged", "status": "publish"})
    kind = {"Content-Type": "application/json"}
    assert ask(wordpress, "/?rest_route=/wp/v2/posts", ALICE, kind, "POST", body).status == 401
    assert ask(wordpress, "/?rest_route=/wp/v2/posts", ALICE, kind | {"X-WP-Nonce": "0123456789"}, "POST", body).status == 403
    assert ask(wordpress, "/?rest_route=/wp/v2/posts", ALICE, kind | {"X-WP-Nonce": nonce(wordpress, ALICE)}, "POST", body).status == 201
    me = ask(wordpress, "/?rest_route=/wp/v2/users/me&context=edit", BOB, {"X-WP-Nonce": nonce(wordpress, BOB)})
    assert me.json()["username"] == "user_bob"


def test_heartbeat_and_admin_post(wordpress):
    found = re.search(r'heartbeatSettings = {"nonce":"([0-9a-f]+)"', ask(wordpress, "/wp-admin/index.php", BOB).text)[1]
    beat = {"action": "heartbeat", "_nonce": found, "screen_id": "dashboard", "has_focus": "true"}
    answer = ask(wordpress, "/wp-admin/admin-ajax.php", BOB, method="POST", body=beat)
    assert answer.status == 200 and answer.json()["wp-auth-check"] is True
    assert ask(wordpress, "/wp-admin/admin-post.php", None, method="POST", body={"action": "nothing"}).status == 400  # WordPress's own answer


def test_the_clock_of_wordpress_calls_itself(wordpress):
    """wp-cron.php is called by WordPress, without a session."""
    wordpress.database.query("DELETE FROM wp_options WHERE option_name = '_transient_doing_cron'", "wordpress")
    hooks = wordpress.root / "wp-content/mu-plugins/cron.php"
    hooks.write_text("<?php add_action('clerk_test', function () { update_option('clerk_test_ran', 'yes'); });\n"
                     "add_action('init', function () { if (isset($_GET['plan'])) { wp_schedule_single_event(time() - 1, 'clerk_test'); } });\n")
    hooks.chmod(0o644)
    ask(wordpress, "/?plan=1")
    deadline = time.monotonic() + 30
    while row(wordpress, "SELECT option_value FROM wp_options WHERE option_name = 'clerk_test_ran'") != "yes":
        assert time.monotonic() < deadline
        ask(wordpress, "/")
        time.sleep(0.2)
    hooks.unlink()


def test_permalinks_written_by_wordpress(wordpress):
    page = ask(wordpress, "/wp-admin/options-permalink.php", ALICE).text
    found = re.search(r'name="_wpnonce" value="([0-9a-f]+)"', page)[1]
    body = {"_wpnonce": found, "selection": "/%25postname%25/", "permalink_structure": "/%25postname%25/", "category_base": "", "tag_base": ""}
    saved = ask(wordpress, "/wp-admin/options-permalink.php", ALICE, NAVIGATION | {"Sec-Fetch-Site": "same-origin"}, "POST", body)
    assert saved.status == 302 and ask(wordpress, "/wp-admin/options-permalink.php?settings-updated=true", ALICE).status == 200
    assert "RewriteRule . /index.php" in (wordpress.root / ".htaccess").read_text()
    assert "Hello world" in ask(wordpress, "/hello-world/").text and ask(wordpress, "/wp-json/").json()["name"] == "Test"
    assert ask(wordpress, "/wp-admin/x", None).status == 401


def open_editor(site, browser, title, content):
    """A post in the block editor, not saved yet."""
    browser.open(site.origin + "/wp-admin/post-new.php")
    browser.wait("window.wp?.data?.select('core/editor')?.getCurrentPostId() > 0")
    browser.evaluate(f"wp.data.dispatch('core/editor').editPost({{title: {json.dumps(title)}, content: {json.dumps(content)}, status: 'publish'}})")


def publish(site, browser, title, content):
    """What the editor's button does."""
    saved = "wp.data.dispatch('core/editor').savePost().then(() => wp.data.select('core/editor').didPostSaveRequestSucceed())"
    assert browser.evaluate(saved) is True
    browser.evaluate("window.onbeforeunload = null")
    found = row(site, f"SELECT post_status, post_content FROM wp_posts WHERE post_title = '{title}' AND post_type = 'post'")
    assert found == f"publish\t{content}"


def test_an_article_outlives_its_token(wordpress, browser):
    """The block editor is open while the token lapses; then it is saved by a script, and settings and a comment by forms."""
    wordpress.sign_in(browser, "/wp-admin/profile.php", "alice", "acme")
    open_editor(wordpress, browser, "Written slowly", "All of it.")
    before = wordpress.renewals()
    wordpress.lapse(browser)
    publish(wordpress, browser, "Written slowly", "All of it.")
    assert wordpress.renewals() > before
    browser.screenshot("wordpress-editor")

    browser.open(wordpress.origin + "/wp-admin/options-general.php")
    browser.fill("#blogdescription", "said slowly")
    wordpress.lapse(browser)
    assert "Settings saved" in browser.click("#submit")["text"]
    assert row(wordpress, "SELECT option_value FROM wp_options WHERE option_name = 'blogdescription'") == "said slowly"

    browser.open(wordpress.origin + "/?p=1")
    browser.fill("#comment", "A slow comment.")
    wordpress.lapse(browser)
    assert "A slow comment." in browser.click("#submit")["text"]
    assert row(wordpress, "SELECT user_id = 0 FROM wp_comments WHERE comment_content = 'A slow comment.'") == "0"


@pytest.fixture
def plugin(wordpress):
    """plugin(code): a must-use plugin for one test."""
    file = wordpress.root / "wp-content/mu-plugins/of-a-test.php"
    yield lambda code: file.write_text("<?php " + code)
    file.unlink(missing_ok=True)


@pytest.fixture
def another(wordpress, make_site, plugin):
    """The same WordPress behind another httpd, without WITHOUT_SCRIPT."""
    made = []

    def make(secret, more=""):
        made.append(make_site())
        plugin(f"foreach (array('siteurl', 'home') as $name) {{ add_filter('pre_option_' . $name, function () {{ return '{made[-1].origin}'; }}); }}")
        return made[-1].configure("wordpress.conf", more, secret=secret, **wordpress.values)

    yield make
    for site in made:
        site.server.stop()


@pytest.mark.parametrize("secret", [True, False], ids=["with-key", "without-key"])
def test_two_articles_while_the_page_keeps_its_session_fresh(wordpress, another, browser, secret):
    """As the recipe is. The token lapses twice while each is written."""
    site = another(secret)
    site.database = wordpress.database
    site.sign_in(browser, "/wp-admin/profile.php", "alice", "acme", ttl=5)
    for number in ("first", "second"):
        title = f"The {number} article, {'with' if secret else 'without'} a key"
        open_editor(site, browser, title, "All of it.")
        site.live_through_two_lapses(browser)
        publish(site, browser, title, "All of it.")


def test_an_address_that_a_user_of_wordpress_has(wordpress, another):
    """Who was there before Clerk keeps it; the Clerk user is another one, and can work."""
    wordpress.database.query("INSERT INTO wp_users (user_login, user_pass, user_email, user_registered, display_name) "
                             "VALUES ('old', 'x', 'frank@example.test', NOW(), 'Old')", "wordpress")
    site = another(True, "<Location />\nClerkUserProfile On\n</Location>\n")
    for name in ("frank", "grace"):
        site.instance.add_user(name, memberships={"acme": "member"})
        assert ask(site, "/wp-admin/profile.php", (name, "acme")).status == 200
        assert row(wordpress, f"SELECT user_email FROM wp_users WHERE user_login = 'user_{name}'") == {"frank": "", "grace": "grace@example.test"}[name]


def test_without_javascript(wordpress, plugin, open_browser):
    """The request that saves renews the session, with the refresh cookie and the secret key. WordPress's block editor is a script; its
    classic one is a form."""
    plugin("add_filter('use_block_editor_for_post', '__return_false');")
    browser = open_browser(scripts=False)
    session = wordpress.enter(browser, "alice", "acme")
    for number in ("first", "second"):
        title = f"The {number} plain article"
        assert browser.open(wordpress.origin + "/wp-admin/post-new.php")["status"] == 200
        browser.fill("#title", title)
        browser.fill("#content", "All of it.")
        before = wordpress.renewals()
        wordpress.lapse(browser, session)
        assert "Post published." in browser.click("#publish")["text"]
        assert wordpress.renewals() > before
        assert row(wordpress, f"SELECT post_status, post_content FROM wp_posts WHERE post_title = '{title}' AND post_type = 'post'") == "publish\tAll of it."

        browser.open(wordpress.origin + "/?p=1")
        browser.fill("#comment", f"The {number} plain comment.")
        before = wordpress.renewals()
        wordpress.lapse(browser, session)
        assert f"The {number} plain comment." in browser.click("#submit")["text"]
        assert wordpress.renewals() > before
        assert row(wordpress, f"SELECT user_id = 0 FROM wp_comments WHERE comment_content = 'The {number} plain comment.'") == "0"


def test_signing_out_is_clerks(wordpress, browser):
    wordpress.sign_in(browser, "/wp-admin/profile.php", "bob")
    link = browser.evaluate("document.querySelector('#wp-admin-bar-logout a').href")
    assert "/clerk/sign-out?redirect_url=" in link
    browser.evaluate(f"void setTimeout(() => location.assign({json.dumps(link)}))")
    browser.arrive("/")
    assert "__session" not in browser.cookies()
    assert "/clerk/sign-in" in browser.open(wordpress.origin + "/wp-admin/profile.php")["url"]
