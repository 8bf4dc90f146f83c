/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

/* RFC 4648, section 10, without padding, and RFC 7515, appendix C. */
static const struct {
    const char *text, *bytes;
    size_t len;
} good[] = {
    {"", "", 0},
    {"Zg", "f", 1},
    {"Zm8", "fo", 2},
    {"Zm9v", "foo", 3},
    {"Zm9vYg", "foob", 4},
    {"Zm9vYmE", "fooba", 5},
    {"Zm9vYmFy", "foobar", 6},
    {"A-z_4ME", "\x03\xec\xff\xe0\xc1", 5},
    {"AA", "\0", 1},
    {"AAAA", "\0\0\0", 3},
    {"AGEA", "\0a\0", 3},
    {"____", "\xff\xff\xff", 3},
    {"----", "\xfb\xef\xbe", 3},
    {"_w", "\xff", 1},
    {"__8", "\xff\xff", 2},
};

#define BAD(text)                                                                                                      \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static const struct {
    const char *text;
    size_t len;
} bad[] = {
    BAD("A"),          BAD("Zm9vY"),   BAD("Zm9vYmFyA"), /* length % 4 == 1 */
    BAD("Zg=="),       BAD("Zm8="),    BAD("Zm9v="),     BAD("="),
    BAD("===="),       BAD("Zg="),     BAD("A+z/"),      BAD("++++"),
    BAD("////"),       BAD("Z+"),      BAD("Zm/"),       BAD(" Zm9v"),
    BAD("Zm9v "),      BAD("Zm9v\n"),  BAD("Zm\r\n9v"),  BAD("Zm 9v"),
    BAD("\tZm9"),      BAD("Zm9\0"),   BAD("\0\0\0\0"),  BAD("Z\0"),
    BAD("Zm\0v"),      BAD("Zh"),      BAD("Zn"),        BAD("Zv"),
    BAD("_x"),                                                       /* unused bits after one byte */
    BAD("Zm9"),        BAD("Zm-"),     BAD("Zm_"),       BAD("__9"), /* unused bits after two bytes */
    BAD("Zm9v.Zm9v"),  BAD("Zm9v%3D"), BAD("Zm9\x80"),   BAD("\xff\xff\xff\xff"),
    BAD("Zg\xc3\xa9"), BAD("Zm9@"),    BAD("Zm9["),      BAD("Zm9`"),
    BAD("Zm9{"),       BAD("Zm9,"),    BAD("Zm9:"),
};

static void decodes_canonical_text(void **state)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        unsigned char *data;
        apr_size_t len;

        assert_status(jose_base64url_decode(&data, &len, slice(good[i].text), *state), JOSE_OK, good[i].text);
        assert_int_equal(len, good[i].len);
        assert_memory_equal(data, good[i].bytes, len);
        assert_int_equal(data[len], '\0');
    }
}

static void refuses_everything_else(void **state)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        jose_slice text = {bad[i].text, bad[i].len};
        unsigned char *data;
        apr_size_t len;

        assert_status(jose_base64url_decode(&data, &len, text, *state), JOSE_MALFORMED, bad[i].text);
        assert_null(data);
        assert_int_equal(len, 0);
    }
}

static void encodes(void **state)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_string_equal(jose_base64url_encode(good[i].bytes, good[i].len, *state), good[i].text);
    }
    assert_string_equal(jose_base64url_encode(NULL, 0, *state), "");
}

/* Of all texts of two and three characters, exactly those decode that are the encoding of some bytes. */
static void only_one_text_per_value(void **state)
{
    apr_pool_t *pool;
    int a, b, taken = 0;

    for (a = 0; a < 256; a++) {
        apr_pool_create(&pool, *state);
        for (b = 0; b < 256; b++) {
            char text[2] = {(char)a, (char)b};
            unsigned char *data;
            apr_size_t len;

            if (jose_base64url_decode(&data, &len, (jose_slice){text, 2}, pool) == JOSE_OK) {
                assert_int_equal(len, 1);
                assert_memory_equal(jose_base64url_encode(data, len, pool), text, 2);
                taken++;
            }
        }
        apr_pool_destroy(pool);
    }
    assert_int_equal(taken, 256);
}

/* Each byte at each position of the first quad, of the last full quad, and of the rest. */
static void knows_the_alphabet_in_every_place(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int c, place;

    for (c = 0; c < 256; c++) {
        for (place = 0; place < 10; place++) {
            int value = (int)(strchr(alphabet, c) ? strchr(alphabet, c) - alphabet : 64), last = place == 9;
            char text[] = "AAAAAAAAAA";
            unsigned char *data;
            apr_size_t len;
            jose_status status;

            text[place] = (char)c;
            status = jose_base64url_decode(&data, &len, (jose_slice){text, 10}, *state);
            /* of the last of two characters, two of its six bits are used */
            if (c == '\0' || value == 64 || (last && value % 16 != 0)) {
                assert_status(status, JOSE_MALFORMED, text);
                continue;
            }
            assert_status(status, JOSE_OK, text);
            assert_int_equal(len, 7);
            assert_string_equal(jose_base64url_encode(data, len, *state), text);
        }
    }
}

static void takes_a_slice_of_a_longer_text(void **state)
{
    unsigned char *data;
    apr_size_t len;

    assert_int_equal(jose_base64url_decode(&data, &len, (jose_slice){"Zm9v.garbage", 4}, *state), JOSE_OK);
    assert_string_equal((char *)data, "foo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(decodes_canonical_text),
        fixture_test(refuses_everything_else),
        fixture_test(encodes),
        fixture_test(only_one_text_per_value),
        fixture_test(knows_the_alphabet_in_every_place),
        fixture_test(takes_a_slice_of_a_longer_text),
    };

    return cmocka_run_group_tests_name("jose_base64url", tests, jose_fixture_group_setup, jose_fixture_group_teardown);
}
