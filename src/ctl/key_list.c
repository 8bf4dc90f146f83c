/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/key_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_user.h>
#include <openssl/crypto.h>

#include "jose/json.h"
#include "jose/keyset.h"

#define FILE_MAX 262144
#define ID_HEX 64

static json_t *keys_of(const jose_keyset *set)
{
    json_t *list = json_array();

    for (unsigned int i = 0; i < jose_keyset_count(set); i++) {
        const jose_key *key = jose_keyset_at(set, i);
        const char *kid = jose_key_id(key);

        (void)json_array_append_new(list, json_pack("{s:s?, s:s, s:b}", "kid", kid, "what", jose_key_description(key),
                                                    "usable", jose_key_usable(key)));
    }
    return list;
}

/* What the source publishes now. @return null if it cannot be had; then @a perror says why */
static json_t *published(const char **perror, clerk_setup *setup)
{
    clerk_keystore_stats stats;
    clerk_keys_pin pin = {0};
    json_t *list;

    *perror = NULL;
    if (setup->static_keys) {
        return keys_of(setup->static_keys);
    }
    if (!setup->store) {
        *perror = "no call is made with --offline";
        return json_null();
    }
    if (clerk_keystore_acquire(&pin, setup->store, 0, CLERK_KEYS_CURRENT, 0, setup->pool) != CLERK_KEYS_OK) {
        clerk_keystore_get_stats(&stats, setup->store, 0);
        *perror = apr_pstrdup(setup->pool, stats.last_error[0] ? stats.last_error : "there are no keys");
        return json_null();
    }
    list = keys_of(pin.set);
    clerk_keystore_release(setup->store, &pin);
    return list;
}

/* The key that signs the files, without making one. @return NULL, or why it cannot be had */
static const char *read_state_key(unsigned char key[CLERK_STATEKEY_LEN], const char *dir, apr_pool_t *pool)
{
    int fd = open(apr_pstrcat(pool, dir, "/state.key", NULL), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    ssize_t got = fd >= 0 ? read(fd, key, CLERK_STATEKEY_LEN) : -1;

    if (fd >= 0) {
        close(fd);
    }
    return got == CLERK_STATEKEY_LEN ? NULL
           : error == ENOENT         ? "state.key, which signs it, is not there"
           : error == EACCES         ? "state.key, which signs it, cannot be read: only root can"
                                     : "state.key, which signs it, is damaged";
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The id of a file by its name. @return 0 if it is none of the key store's */
static int id_of(unsigned char id[32], const char *name)
{
    if (strlen(name) != ID_HEX + strlen(".json") || strcmp(name + ID_HEX, ".json")) {
        return 0;
    }
    for (apr_size_t i = 0; i < 32; i++) {
        int high = hex_digit(name[2 * i]), low = hex_digit(name[2 * i + 1]);

        if (high < 0 || low < 0) {
            return 0;
        }
        id[i] = (unsigned char)(high * 16 + low);
    }
    return 1;
}

/* A file as it is written, whether it is to be believed or not. */
static json_t *describe(const char *path, const apr_finfo_t *info, clerk_setup *setup)
{
    apr_pool_t *pool = setup->pool;
    apr_int64_t fetched_at;
    json_t *object = json_object(), *file = NULL;
    const char *text, *document = NULL;
    char *owner = NULL, *dump;
    jose_keyset *set = NULL;
    apr_size_t len = 0;

    if (apr_uid_name_get(&owner, info->user, pool) == APR_SUCCESS) {
        (void)json_object_set_new(object, "owner", json_string(owner));
    }
    if (clerk_setup_read_file(&text, &len, setup, path, FILE_MAX)
        || jose_json_parse_object(&file, text, len, JOSE_JSON_MAX_DEPTH, pool) != JOSE_OK) {
        return object;
    }
    fetched_at = (apr_int64_t)json_integer_value(json_object_get(file, "fetched_at"));
    (void)json_object_set_new(object, "fetched_at",
                              fetched_at > 0 ? json_integer(fetched_at / APR_USEC_PER_SEC) : json_null());
    dump = json_dumps(json_object_get(file, "document"), JSON_COMPACT);
    document = dump ? apr_pstrdup(pool, dump) : "";
    free(dump);
    if (jose_keyset_parse(&set, document, strlen(document), pool) == JOSE_OK) {
        (void)json_object_set_new(object, "keys", keys_of(set));
    }
    return object;
}

/* All files of a state directory. @param pdoubtful set if one of them is not to be believed @return null if the
 * directory cannot be read; then @a perror says so */
static json_t *kept(const char **perror, int *pdoubtful, clerk_setup *setup, const char *path)
{
    unsigned char key[CLERK_STATEKEY_LEN], id[32];
    clerk_statefile_dir state = {.path = path, .key = key};
    apr_finfo_t dir_info, info;
    const char *key_problem;
    json_t *list;
    apr_dir_t *dir;

    if (apr_stat(&dir_info, path, APR_FINFO_OWNER | APR_FINFO_TYPE, setup->pool) != APR_SUCCESS
        || apr_dir_open(&dir, path, setup->pool) != APR_SUCCESS) {
        *perror = apr_psprintf(setup->pool, "the directory %s cannot be read", path);
        return json_null();
    }
    state.owner = dir_info.user;
    key_problem = read_state_key(key, path, setup->pool);
    list = json_array();
    while (apr_dir_read(&info, APR_FINFO_NAME | APR_FINFO_OWNER, dir) == APR_SUCCESS) {
        const char *document, *problem = key_problem;
        const char *file = apr_pstrcat(setup->pool, path, "/", info.name, NULL);
        apr_time_t fetched_at;
        apr_size_t len;
        json_t *object;

        if (!id_of(id, info.name)) {
            continue;
        }
        if (!key_problem) {
            (void)clerk_statefile_read(&document, &len, &fetched_at, &problem, &state, id, setup->pool);
        }
        object = describe(file, &info, setup);
        (void)json_object_set_new(object, "file", json_string(info.name));
        *pdoubtful |= problem != NULL;
        (void)json_object_set_new(object, "problem", problem ? json_string(problem) : json_null());
        (void)json_array_append_new(list, object);
    }
    (void)apr_dir_close(dir);
    OPENSSL_cleanse(key, sizeof(key));
    return list;
}

static void print_keys(clerk_output *out, const json_t *keys)
{
    const json_t *key;
    size_t i;

    json_array_foreach(keys, i, key)
    {
        const char *kid = json_string_value(json_object_get(key, "kid"));

        clerk_output_print(out, "  %s  %s%s\n", kid ? clerk_output_word(out, kid) : "(any kid)",
                           json_string_value(json_object_get(key, "what")),
                           json_is_true(json_object_get(key, "usable")) ? "" : "  NOT USABLE");
    }
}

static const char *age_of(const json_t *fetched_at, apr_time_t now, apr_pool_t *pool)
{
    apr_int64_t age = apr_time_sec(now) - (apr_int64_t)json_integer_value(fetched_at);

    return json_is_integer(fetched_at)
               ? apr_psprintf(pool, "%" APR_INT64_T_FMT " s %s", age < 0 ? -age : age, age < 0 ? "from now" : "ago")
               : "at an unknown time";
}

static void print_kept(clerk_output *out, const json_t *files, apr_time_t now)
{
    const json_t *file;
    size_t i;

    if (json_is_array(files) && json_array_size(files) == 0) {
        clerk_output_print(out, "  none\n");
    }
    json_array_foreach(files, i, file)
    {
        const char *problem = json_string_value(json_object_get(file, "problem"));
        const char *owner = json_string_value(json_object_get(file, "owner"));

        clerk_output_print(out, "  %.12s...  of %s, fetched %s%s%s\n", json_string_value(json_object_get(file, "file")),
                           owner ? owner : "an unknown user",
                           age_of(json_object_get(file, "fetched_at"), now, out->pool),
                           problem ? "; not to be believed: " : "", problem ? problem : "");
        print_keys(out, json_object_get(file, "keys"));
    }
}

clerk_output_code clerk_key_list_run(clerk_setup *setup, const char *state_dir)
{
    clerk_output *out = setup->out;
    const char *error = NULL, *state_error = NULL;
    int doubtful = 0, has_instance = setup->static_keys || setup->instance->jwks_url;
    json_t *document = json_object();
    const char *source = setup->static_keys ? "given" : setup->instance->jwks_url;

    if (!has_instance && !state_dir) {
        json_decref(document);
        return clerk_output_fail(out, CLERK_OUTPUT_USAGE, "name an instance (--publishable-key), or --state-dir");
    }
    if (has_instance) {
        (void)json_object_set_new(document, "source", json_string(source));
        (void)json_object_set_new(document, "published", published(&error, setup));
        (void)json_object_set_new(document, "error", error ? json_string(error) : json_null());
    }
    if (state_dir) {
        (void)json_object_set_new(document, "kept", kept(&state_error, &doubtful, setup, state_dir));
        (void)json_object_set_new(document, "state_error", state_error ? json_string(state_error) : json_null());
    }
    if (out->as_json) {
        clerk_output_document(out, document);
    } else {
        if (has_instance) {
            clerk_output_print(out, "Published (%s): %s\n", source, error ? error : "");
            print_keys(out, json_object_get(document, "published"));
        }
        if (state_dir) {
            clerk_output_print(out, "Kept in %s: %s\n", state_dir, state_error ? state_error : "");
            print_kept(out, json_object_get(document, "kept"), apr_time_now());
        }
    }
    json_decref(document);
    return error || state_error ? CLERK_OUTPUT_UNAVAILABLE : doubtful ? CLERK_OUTPUT_BAD : CLERK_OUTPUT_GOOD;
}
