# SPDX-License-Identifier: Apache-2.0
"""Programs that know no Clerk: git and cgit, AWStats, phpMyAdmin, Nagios."""

import re
import subprocess

import pytest
from pyclerk.httpd import unprivileged_user
from real import ALICE, BOB, RECIPES, TREE, ask, give


def git(*arguments, **options):
    base = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.test", "-c", "init.defaultBranch=main", "-c", "safe.directory=*"]
    return subprocess.run([*base, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.fixture(scope="module")
def repositories(make_site, workdir):
    root = workdir / "git"
    assert git("init", "--bare", root / "project.git").returncode == 0
    assert git("-C", root / "project.git", "config", "http.receivepack", "true").returncode == 0
    work = workdir / "work"
    git("init", work)
    (work / "file").write_text("first\n")
    git("-C", work, "add", "file")
    git("-C", work, "commit", "-m", "the first change")
    assert git("-C", work, "push", root / "project.git", "main").returncode == 0
    give(root)
    rc = workdir / "cgitrc"
    rc.write_text(f"scan-path={root}\ncache-size=0\n")
    site = make_site()
    site.work = work
    programs = TREE / "usr/lib/git-core"
    return site.configure("git.conf", f"SetEnv CGIT_CONFIG {rc}\n"
                          "SetEnv GIT_CONFIG_COUNT 1\nSetEnv GIT_CONFIG_KEY_0 safe.directory\nSetEnv GIT_CONFIG_VALUE_0 *\n"
                          f'SetEnv LD_LIBRARY_PATH "{":".join(map(str, (TREE / "usr/lib").glob("*-linux-gnu*")))}"\nSetEnv PATH "{programs}:/usr/bin:/bin"\n'
                          f'<Directory "{TREE}/usr/lib">\nRequire all granted\nOptions FollowSymLinks\n</Directory>',
                          SITE_ROOT=site.server.docroot, GIT_ROOT=root, GIT_PROGRAMS=programs, CGIT=TREE / "usr/lib/cgit/cgit.cgi",
                          CGIT_FILES=TREE / "usr/share/cgit")


def bearer(site, who):
    return f"http.extraHeader=Authorization: Bearer {site.instance.mint(*who, ttl=60, origin=site.origin)}"


def test_git_clones_and_pushes(repositories, workdir):
    url = f"http://127.0.0.1:{repositories.server.port}/git/project.git"
    environment = {"GIT_TERMINAL_PROMPT": "0", "PATH": "/usr/bin:/bin", "HOME": str(workdir)}
    assert git("clone", url, workdir / "nobody", env=environment).returncode != 0
    cloned = git("-c", bearer(repositories, BOB), "clone", url, workdir / "clone", env=environment)
    assert cloned.returncode == 0, cloned.stderr
    assert (workdir / "clone/file").read_text() == "first\n"
    (workdir / "clone/file").write_text("second\n")
    git("-C", workdir / "clone", "commit", "-am", "the second change")
    refused = git("-C", workdir / "clone", "-c", bearer(repositories, BOB), "push", env=environment)
    assert refused.returncode != 0 and "403" in refused.stderr
    pushed = git("-C", workdir / "clone", "-c", bearer(repositories, ALICE), "push", env=environment)
    assert pushed.returncode == 0, pushed.stderr
    assert "the second change" in git("-C", workdir / "git/project.git", "log").stdout


def test_cgit(repositories):
    assert ask(repositories, "/cgit/").status == 401
    page = ask(repositories, "/cgit/project.git/log/", BOB)
    assert page.status == 200 and "the first change" in page.text
    assert ask(repositories, "/cgit-css/cgit.css", BOB).status == 200 and ask(repositories, "/cgit-css/cgit.css").status == 401
    assert ask(repositories, "/git/project.git/info/refs?service=git-upload-pack", BOB).status == 401  # cookies do not count there


def test_awstats(make_site, workdir):
    log = workdir / "access.log"
    log.write_text('192.0.2.1 - - [27/Nov/2026:10:00:00 +0000] "GET /a-page.html HTTP/1.1" 200 1000 "-" "Mozilla/5.0"\n')
    data = workdir / "awstats"
    data.mkdir()
    conf = workdir / "awstats.test.conf"
    conf.write_text(f'LogFile="{log}"\nLogFormat=1\nSiteDomain="test.example"\nHostAliases="test.example"\nDirData="{data}"\nDNSLookup=0\n'
                    f'DirIcons="/icons"\nAllowToUpdateStatsFromBrowser=1\nDirLang="{TREE}/usr/share/awstats/lang"\n')
    give(workdir / "awstats")
    program = TREE / "usr/lib/cgi-bin"
    site = make_site()
    site.configure("awstats.conf", f'SetEnv AWSTATS_ENABLE_CONFIG_DIR {workdir}\n<Directory "{program}">\nRequire all granted\n</Directory>',
                   SITE_ROOT=site.server.docroot, AWSTATS=program)
    page = ask(site, f"/awstats/awstats.pl?config=test&configdir={workdir}&update=1", ALICE)
    assert page.status == 200 and "Statistics" in page.text, page.text[:2000]
    assert ask(site, "/awstats/awstats.pl?config=test", BOB).status == 403
    assert ask(site, "/awstats/awstats.pl?config=test").status == 401


def test_phpmyadmin(make_site, copy, php, database):
    root = copy("usr/share/phpmyadmin", "phpmyadmin")
    vendor = root / "libraries/vendor_config.php"
    text = vendor.read_text().replace("/etc/phpmyadmin/config.inc.php", f"{root}/config.inc.php").replace("/var/lib/phpmyadmin/tmp/", f"{root}/tmp/")
    vendor.write_text(text)
    (root / "tmp").mkdir(exist_ok=True)
    etc = copy("etc/phpmyadmin", "phpmyadmin/etc")
    page = (RECIPES.parent / "recipes.md").read_text()
    for path, start, more in ((etc / "conf.d/clerk.php", r"\$i = 1", f"$cfg['Servers'][$i]['socket'] = '{database.socket}';\n"),
                              (etc / "signon.php", "function get_login_credentials", "")):
        (text,) = re.findall(rf"^```php\n(<\?php\n{start}.*?)^```$", page, re.M | re.S)
        path.write_text(text.replace("/etc/phpmyadmin", str(etc)) + more)
    (root / "config.inc.php").write_text("<?php $cfg['blowfish_secret'] = str_repeat('x', 32); ?>"
                                         + (etc / "config.inc.php").read_text().replace("/etc/phpmyadmin", str(etc)))
    (etc / "pma-password").write_text("A-PASSWORD\n")
    give(root)
    site = make_site()
    site.configure("phpmyadmin.conf", SITE_ROOT=root, PHP_FPM=f"unix:{php.socket}")
    page = ask(site, "/phpmyadmin/index.php?route=/", ALICE)
    assert page.status == 200 and "phpMyAdmin" in page.text and "MariaDB" in page.text and re.search(r"User:\s+pma@", page.text), page.text[:3000]
    assert ask(site, "/phpmyadmin/index.php", BOB).status == 403 and ask(site, "/phpmyadmin/index.php").status == 401
    assert ask(site, "/phpmyadmin/libraries/vendor_config.php", ALICE).status == 403


def nagios_objects():
    """Two hosts, of which one is bob's."""
    anytime = {"check_command": "check", "check_period": "always", "notification_period": "always", "max_check_attempts": 1}
    yield "timeperiod", {"timeperiod_name": "always", "alias": "always"}
    yield "command", {"command_name": "check", "command_line": "/bin/true"}
    for name, host in (("bob@example.test", "web"), ("nobody", "mail")):
        contact = {f"{what}_notification_{key}": value for what in ("host", "service")
                   for key, value in (("period", "always"), ("options", "n"), ("commands", "check"))}
        yield "contact", {"contact_name": name, "alias": name, "email": name} | contact
        yield "host", {"host_name": host, "alias": host, "address": "127.0.0.1", "contacts": name} | anytime
        yield "service", {"service_description": "ping", "host_name": host, "contacts": name, "check_interval": 5, "retry_interval": 1} | anytime


def test_nagios(make_site, workdir, php):
    root = workdir / "nagios"
    (root / "checks").mkdir(parents=True)
    (root / "objects.cfg").write_text("".join(f"define {kind} {{\n" + "".join(f"{name} {value}\n" for name, value in members.items()) + "}\n"
                                              for kind, members in nagios_objects()))
    (root / "status").write_text("info {\n\tcreated=1\n\t}\nprogramstatus {\n\tnagios_pid=1\n\t}\n"
                                 + "".join(f"hoststatus {{\n\thost_name={name}\n\thas_been_checked=1\n\t}}\n" for name in ("web", "mail")))
    user = unprivileged_user().pw_name
    (root / "nagios.cfg").write_text(
        f"cfg_file={root}/objects.cfg\nobject_cache_file={root}/cache\nprecached_object_file={root}/cache\nstatus_file={root}/status\n"
        f"log_file={root}/log\ncheck_result_path={root}/checks\ntemp_path={root}\nnagios_user={user}\nnagios_group={user}\n")
    settings = (TREE / "etc/nagios4/cgi.cfg").read_text().replace("use_authentication=0", "use_authentication=1").replace("=nagiosadmin", "=alice@example.test")
    (root / "cgi.cfg").write_text(re.sub(r"(?m)^main_config_file=.*", f"main_config_file={root}/nagios.cfg", settings))
    give(root)
    subprocess.run([TREE / "usr/sbin/nagios4", "-vp", root / "nagios.cfg"], check=True, capture_output=True)
    for name, part in (("cgi-bin", "usr/lib/cgi-bin/nagios4"), ("htdocs", "usr/share/nagios4/htdocs"), ("stylesheets", "etc/nagios4/stylesheets")):
        (root / name).symlink_to(TREE / part)
    site = make_site()
    for name in ("alice", "bob", "dave"):
        site.instance.users[name].claims = {"email": f"{name}@example.test"}
    site.instance.organizations["acme"].members["user_bob"] = "org:operator"
    site.configure("nagios.conf", f"SetEnv NAGIOS_CGI_CONFIG {root}/cgi.cfg\n", SITE_ROOT=root, PHP_FPM=f"unix:{php.socket}")
    assert ask(site, "/nagios4/").status == 401
    assert "<frameset" in ask(site, "/nagios4/", ALICE).text and ask(site, "/nagios4/stylesheets/common.css", ALICE).status == 200
    for who, hosts in ((ALICE, {"web", "mail"}), (BOB, {"web"})):
        page = ask(site, "/nagios4/cgi-bin/status.cgi?hostgroup=all&style=hostdetail", who, {"Remote-User": "alice@example.test"}).text
        assert f"Logged in as <i>{who[0]}@example.test</i>" in page and set(re.findall(r"extinfo\.cgi\?type=1&host=(\w+)", page)) == hosts, page
    assert ask(site, "/nagios4/cgi-bin/status.cgi", ("dave", "globex")).status == 403, "admin of another organization"
