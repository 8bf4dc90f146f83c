# SPDX-License-Identifier: Apache-2.0
"""Programs that know no Clerk: git and cgit, AWStats, phpMyAdmin."""

import subprocess

import pytest
from real import ALICE, BOB, TREE, ask, give


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
                          SITE_ROOT=site.server.docroot, GIT_ROOT=root, GIT_PROGRAMS=programs, CGIT=TREE / "usr/lib/cgit/cgit.cgi")


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
    (root / "config.inc.php").write_text(
        "<?php $cfg['blowfish_secret'] = str_repeat('x', 32); $i = 1; $cfg['Servers'][$i]['auth_type'] = 'config';\n"
        f"$cfg['Servers'][$i]['user'] = 'root'; $cfg['Servers'][$i]['AllowNoPassword'] = true; $cfg['Servers'][$i]['socket'] = '{database.socket}';\n")
    give(root)
    site = make_site()
    site.configure("phpmyadmin.conf", SITE_ROOT=root, PHP_FPM=f"unix:{php.socket}")
    page = ask(site, "/phpmyadmin/index.php?route=/", ALICE)
    assert page.status == 200 and "phpMyAdmin" in page.text and "MariaDB" in page.text, page.text[:3000]
    assert ask(site, "/phpmyadmin/index.php", BOB).status == 403 and ask(site, "/phpmyadmin/index.php").status == 401
    assert ask(site, "/phpmyadmin/libraries/vendor_config.php", ALICE).status == 403
