/* SPDX-License-Identifier: Apache-2.0 */
#include "clerk_fixture.h"

#include "text/html_head.h"

/* "|" marks the place of the script. */
#define PLACE '|'

/* The verdict on a text in parts of @a size, as the text with the place marked in it, or "none", or "more". */
static const char *verdict_on(const char *text, size_t len, size_t size, apr_pool_t *pool)
{
    clerk_html_head scan = {0};
    clerk_html_head_verdict verdict = CLERK_HTML_HEAD_MORE;
    size_t at = 0, read;

    while (at < len && verdict == CLERK_HTML_HEAD_MORE) {
        verdict = clerk_html_head_scan(&scan, text + at, len - at < size ? len - at : size, &read);
        at += read;
    }
    if (verdict == CLERK_HTML_HEAD_FOUND) {
        at -= scan.held;
        return apr_pstrcat(pool, apr_pstrmemdup(pool, text, at), "|", text + at, NULL);
    }
    return verdict == CLERK_HTML_HEAD_NONE ? "none" : "more";
}

static void assert_verdict(fixture *f, const char *text, const char *expected)
{
    for (size_t size = 1; size <= strlen(text); size++) {
        assert_case(apr_psprintf(f->pool, "%s in parts of %" APR_SIZE_T_FMT, text, size),
                    verdict_on(text, strlen(text), size, f->pool), expected);
    }
}

static void the_place_is_before_what_runs(void **state)
{
    static const char *const rows[] = {
        /* right after <head> */
        "<!doctype html><html><head>|<title>x</title></head>",
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\n \"http://x.test/strict.dtd\">\n<HTML>\n<HEAD>|",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE html SYSTEM 'about:legacy-compat'><html xmlns=\"x\"><head profile=\"y\">|",
        "<html><head>|<script></script>",
        "<head>|<title>x</title>",
        "<hTmL lang=en><hEaD >|",
        "<html><head\n\tclass='x'\n>|",
        "<html><head/>|",
        "<html/><head>|",
        "\xef\xbb\xbf<!doctype html><head>|",
        "   \r\n\t\f<head>|",
        "<html><html class=x><head>|",
        /* attributes */
        "<html data-x=\"a>b<head>\"><head data-y='</head>'>|",
        "<html a=b\"c><head>|",
        "<html a=b'c><head a=/>|",
        "<html a= \n \"x>y\"b='>'><head>|",
        "<html =\"a><head>|\">",
        "<html a=\"b\"=\"c><head>|",
        "<html a=><head b = >|",
        "<html a/=\"x><head>|",
        "<html a b=\"x>y\"><head>|",
        "<html a \n= \">\"><head>|",
        "<html \"><head>|",
        /* comments, and what browsers take for one */
        "<!-- <head> --><head>|",
        "<!--><head>|",
        "<!---><head>|",
        "<!----><head>|",
        "<!--x--!><head>|",
        "<!--x--!--><head>|",
        "<!--x-- ><head> --><head>|",
        "<!-- a - > -- > ---><head>|",
        "<!-- <!--><head>|",
        "<!doctype html><!--[if IE]><html class=\"ie\"><![endif]--><!--[if !IE]><!--><html><!--<![endif]--><head>|",
        "<!><head>|",
        "<!x <head><!doctype html>|>",
        "<?php echo '<head' ?><head>|",
        "<!-x><head>|",
        "<!d><head>|",
        "<!doctypehtml><head>|",
        "<![CDATA[x]]><head>|",
        /* no <head> */
        "<html>|<title>x</title>",
        "<html>\n<!-- x -->\n|<body>",
        "<html>|</html>",
        "<html>|text",
        "<html>|<h1>",
        "<html>|<heads>",
        "<html>|<header>",
        "<html>|<htmlx>",
        "<html>|<hea>",
        "<html>|<h/>",
        "<html>|<1",
        "<html>|<>",
        "<html>|< head>",
        "<html>|&lt;",
        "<html><!doctype html>|<title>",
        "<html>|\xc3\xa9",
        /* neither */
        "<!doctype html>\n|<title>x</title>",
        "<!doctype html>|x",
        "<!doctype>|<p>",
        "<!doctype html \"a>|\"<html>",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *place = strchr(rows[i], PLACE);
        fixture *f = *state;

        assert_verdict(
            f, apr_pstrcat(f->pool, apr_pstrmemdup(f->pool, rows[i], (apr_size_t)(place - rows[i])), place + 1, NULL),
            rows[i]);
    }
}

static void a_part_of_a_page_has_no_place(void **state)
{
    static const char *const rows[][2] = {
        {"<div>x</div>", "none"},
        {"text <html><head>", "none"},
        {"<p><head>", "none"},
        {"{\"html\": \"<head>\"}", "none"},
        {"<header><head>", "none"},
        {"</head>", "none"},
        {"<title>x</title>", "none"},
        {"<!-- x --><li>", "none"},
        {"<script>'<head>'</script>", "none"},
        {"\xff\xfe<", "none"},
        {"\xfe\xff", "none"},
        {"\xef\xbb", "more"},
        {"\xef\xbbx", "none"},
        {"\xefx", "none"},
        {"<\xef\xbb\xbf", "none"},
        {" \xef\xbb\xbf<head>", "none"},
        {"&nbsp;", "none"},
        {"<1>", "none"},
        {"<!-- <html><head> ", "more"},
        {"<html a=\"<head>", "more"},
        {"<html", "more"},
        {"<!doctype html", "more"},
        {"<html><head", "more"},
        {"<html>\n", "more"},
        {"<!", "more"},
        {"<!doctype html><!--", "more"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_verdict(*state, rows[i][0], rows[i][1]);
    }
}

static void other_encodings_are_left_alone(void **state)
{
    static const char utf_16[] = "<\0h\0t\0m\0l\0>\0<\0h\0e\0a\0d\0>\0", zero[] = "<html>\0<head>";
    fixture *f = *state;

    assert_string_equal(verdict_on(utf_16, sizeof(utf_16), 3, f->pool), "none");
    assert_string_equal(verdict_on(zero, sizeof(zero), 100, f->pool), "none");
}

static void reading_has_a_bound(void **state)
{
    fixture *f = *state;
    size_t len = CLERK_HTML_HEAD_BOUND + 100;
    char *text = apr_palloc(f->pool, len);
    clerk_html_head scan = {0};
    size_t read;

    memset(text, ' ', len);
    memcpy(text, "<html>", 6);
    memcpy(text + CLERK_HTML_HEAD_BOUND - 6, "<head>", 6);
    assert_int_equal(clerk_html_head_scan(&scan, text, len, &read), CLERK_HTML_HEAD_FOUND);
    assert_int_equal(read, CLERK_HTML_HEAD_BOUND);
    memset(&scan, 0, sizeof(scan));
    text[CLERK_HTML_HEAD_BOUND - 1] = ' ';
    assert_int_equal(clerk_html_head_scan(&scan, text, len, &read), CLERK_HTML_HEAD_NONE);
    assert_int_equal(read, CLERK_HTML_HEAD_BOUND + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(the_place_is_before_what_runs),
        fixture_test(a_part_of_a_page_has_no_place),
        fixture_test(other_encodings_are_left_alone),
        fixture_test(reading_has_a_bound),
    };

    return cmocka_run_group_tests(tests, clerk_fixture_group_setup, clerk_fixture_group_teardown);
}
