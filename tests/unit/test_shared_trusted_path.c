/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that nobody else can turn into others. What belongs to the user who runs the test counts as root's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "shared/trusted_path.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SOMEBODY 12345

static apr_pool_t *pool;
static char top[] = "/tmp/clerk-trusted-path-XXXXXX";

static const char *below(const char *name)
{
    return apr_pstrcat(pool, top, "/", name, NULL);
}

static void make_dir(const char *name, mode_t mode)
{
    assert_int_equal(mkdir(below(name), mode), 0);
    assert_int_equal(chmod(below(name), mode), 0);
}

static void make_link(const char *name, const char *target)
{
    assert_int_equal(symlink(target, below(name)), 0);
}

static int setup(void **state)
{
    (void)state;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!mkdtemp(top)) {
        return -1;
    }
    make_dir("good", 0755);
    make_dir("good/inner", 0700);
    make_dir("open", 0777);
    make_dir("open/inner", 0755);
    make_dir("group", 0770);
    make_dir("sticky", 01777);
    make_dir("sticky/inner", 0755);
    make_link("to-good", "good");
    make_link("to-good-absolute", below("good"));
    make_link("to-open", "open/inner");
    make_link("to-open-absolute", below("open/inner"));
    make_link("good/up", "../open/inner");
    make_link("twice", "to-open");
    make_link("loop", "loop");
    make_link("to-nothing", "nothing");
    return 0;
}

static int teardown(void **state)
{
    const char *command = apr_pstrcat(pool, "rm -r ", top, NULL);
    int failed = system(command);

    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return failed;
}

static void each_step_is_looked_at(void **state)
{
    static const struct {
        const char *path;
        const char *breach; /* NULL: none */
    } rows[] = {
        {"good", NULL},
        {"good/inner", NULL},
        {"good//inner/", NULL},
        {"good/./inner/../inner", NULL},
        {"good/nothing", NULL},
        {"nothing/at/all", NULL},
        /* The last name is what the path names: whoever may write to it may do so. */
        {"open", NULL},
        {"open/", NULL},
        {"open/inner", "open"},
        {"open/nothing", "open"},
        {"group/x", "group"},
        {"sticky/inner", NULL},
        /* Links */
        {"to-good/inner", NULL},
        {"to-good-absolute/inner", NULL},
        {"to-open", "open"},
        {"to-open/x", "open"},
        {"to-open-absolute/x", "open"},
        {"good/up/x", "open"},
        {"twice/x", "open"},
        /* A name after a link is beside where the link leads. */
        {"good/up/../inner", "open"},
        {"to-good/../open/inner", "open"},
        {"to-nothing/x", NULL},
        {"loop/x", "loop"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *breach = clerk_trusted_path_breach(below(rows[i].path), geteuid(), pool);
        const char *expected = rows[i].breach ? below(rows[i].breach) : NULL;

        if (strcmp(breach ? breach : "none", expected ? expected : "none")) {
            fail_msg("%s: %s", rows[i].path, breach ? breach : "none");
        }
    }
}

static void what_belongs_to_others_is_theirs(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_null(clerk_trusted_path_breach(below("to-good/inner"), 0, pool));
    assert_int_equal(lchown(below("to-good"), SOMEBODY, (gid_t)-1), 0);
    assert_string_equal(clerk_trusted_path_breach(below("to-good/inner"), 0, pool), below("to-good"));
    assert_null(clerk_trusted_path_breach(below("to-good/inner"), SOMEBODY, pool));
    assert_int_equal(chown(below("good"), SOMEBODY, (gid_t)-1), 0);
    assert_string_equal(clerk_trusted_path_breach(below("to-good-absolute/inner"), 0, pool), below("good"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_is_looked_at),
        cmocka_unit_test(what_belongs_to_others_is_theirs),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
