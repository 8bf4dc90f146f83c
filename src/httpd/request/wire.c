/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/wire.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "clerk/url/origin.h"
#include "clerk/url/party.h"
#include "httpd/config/config.h"
#include "httpd/config/htaccess.h"
#include "httpd/request/request_state.h"

static const char *header(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);

    return value && *value ? value : NULL;
}

const char *clerk_wire_first_value(request_rec *r, const char *name)
{
    const char *value = header(r, name);
    char *word;

    if (!value) {
        return NULL;
    }
    word = apr_pstrmemdup(r->pool, value, strcspn(value, ","));
    apr_collapse_spaces(word, word);
    ap_str_tolower(word);
    return *word ? word : NULL;
}

/* The origin by httpd itself: ServerName, UseCanonicalName, and the scheme (mod_ssl, or ServerName https://...). */
static const char *own_origin(request_rec *r)
{
    const char *scheme = ap_http_scheme(r);
    apr_port_t port = ap_get_server_port(r);
    char *origin = apr_pstrcat(r->pool, scheme, "://", ap_get_server_name_for_url(r), NULL);

    if (!ap_is_default_port(port, r)) {
        origin = apr_pstrcat(r->pool, origin, ":", apr_itoa(r->pool, port), NULL);
    }
    ap_str_tolower(origin);
    return origin;
}

clerk_forwarded clerk_wire_forwarded(request_rec *r)
{
    clerk_forwarded said
        = {clerk_wire_first_value(r, "X-Forwarded-Proto"), clerk_wire_first_value(r, "X-Forwarded-Host"),
           clerk_wire_first_value(r, "X-Forwarded-Port")};
    const char *forwarded = header(r, "Forwarded");

    /* Never a mixture: what the proxy does not set, a client may have written. */
    return forwarded && !said.proto && !said.host && !said.port ? clerk_forwarded_read(forwarded, r->pool) : said;
}

/* Whether a host is one of the names of the server. */
static int is_named(const server_rec *server, const char *host)
{
    if (!strcasecmp(server->server_hostname, host)) {
        return 1;
    }
    for (int i = 0; server->names && i < server->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(server->names, i, const char *);

        if (name && !strcasecmp(name, host)) {
            return 1;
        }
    }
    for (int i = 0; server->wild_names && i < server->wild_names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(server->wild_names, i, const char *);

        /* A name such as "*" takes every host, so it names none. */
        if (name && strchr(name, '.') && !ap_strcasecmp_match(host, name)) {
            return 1;
        }
    }
    return 0;
}

/* The origin that the directives say; NULL: that of the request. */
static const char *said_origin(request_rec *r, const clerk_dir_config *dir)
{
    const char *configured = clerk_htaccess_public_origin(dir);
    clerk_forwarded said;

    if (configured || !clerk_htaccess_trusts_forwarded(dir)) {
        return configured;
    }
    said = clerk_wire_forwarded(r);
    /* Accept only a host and a port: they become part of redirect URLs. */
    return clerk_forwarded_origin(&said, ap_http_scheme(r), header(r, "Host"), r->pool);
}

/* https on its own port, which no other user of the machine can have, or what this request came by. */
static int is_our_port(request_rec *r, const clerk_url *url)
{
    const clerk_url *own = clerk_origin_parse(own_origin(r), r->pool);

    return (!strcmp(url->scheme, "https") && !*url->port)
           || (own && !strcmp(url->scheme, own->scheme) && !strcmp(url->port, own->port));
}

/*
 * Whether the server knows an origin: from the server configuration's ClerkAuthorizedParties, or as a port of this site
 * at one of its names, or at the host that the request names.
 */
static int is_known(request_rec *r, const clerk_dir_config *dir, const char *origin)
{
    const clerk_url *url = clerk_origin_parse(origin, r->pool);

    if (!url) {
        return 0;
    }
    if (dir->authorized_parties && clerk_party_is_listed(dir->authorized_parties, url->origin, NULL)) {
        return 1;
    }
    return is_our_port(r, url)
           && (is_named(r->server, url->host) || (r->hostname && !strcasecmp(r->hostname, url->host)));
}

/* @param said from said_origin() */
static int is_ignored(request_rec *r, const clerk_dir_config *dir, const char *said)
{
    return said && clerk_htaccess_says_origin(dir) && !is_known(r, dir, said);
}

int clerk_wire_ignores_htaccess(request_rec *r)
{
    const clerk_dir_config *dir = clerk_config_dir(r);

    return is_ignored(r, dir, said_origin(r, dir));
}

static const char *public_origin(request_rec *r)
{
    const clerk_dir_config *dir = clerk_config_dir(r);
    const char *said = said_origin(r, dir);

    return said && !is_ignored(r, dir, said) ? said : own_origin(r);
}

const char *clerk_wire_own_origin(request_rec *r)
{
    const char *origin = public_origin(r);
    const clerk_url *url = clerk_origin_parse(origin, r->pool);

    return url && (clerk_config_dir(r)->public_origin || is_named(r->server, url->host)) ? url->origin : NULL;
}

/* Path and query of the URL that the browser requested. Scheme and host of an absolute request target are dropped. */
static const char *target(request_rec *r)
{
    const char *uri, *slashes;

    uri = clerk_request_state_top(r)->unparsed_uri;
    if (uri && *uri != '/') {
        slashes = strstr(uri, "://");
        uri = slashes ? slashes + 3 + strcspn(slashes + 3, "/?") : NULL;
    }
    if (!uri || !*uri) {
        return "/";
    }
    return *uri == '/' ? uri : apr_pstrcat(r->pool, "/", uri, NULL);
}

static void complete(clerk_request *request)
{
    request_rec *r = request->source;

    request->origin_url = public_origin(r);
    request->accept = header(r, "Accept");
    request->sec_fetch_mode = header(r, "Sec-Fetch-Mode");
    request->x_requested_with = header(r, "X-Requested-With");
    request->hx_request = header(r, "HX-Request");
    request->referer = header(r, "Referer");
    request->origin = header(r, "Origin");
    request->sec_fetch_site = header(r, "Sec-Fetch-Site");
    request->user_agent = header(r, "User-Agent");
    request->accept_language = header(r, "Accept-Language");
}

void clerk_wire_read_head(clerk_request *request, request_rec *r)
{
    const clerk_request_state *stripped = clerk_request_state_stripped(r);

    memset(request, 0, sizeof(*request));
    request->method = r->method;
    request->target = target(r);
    request->authorization = stripped ? stripped->sent_authorization : header(r, "Authorization");
    request->cookie = stripped ? stripped->sent_cookie : header(r, "Cookie");
    request->sec_fetch_dest = header(r, "Sec-Fetch-Dest");
    request->client_ip = r->useragent_ip;
    request->complete = complete;
    request->source = r;
}

void clerk_wire_read_all(clerk_request *request, request_rec *r)
{
    clerk_wire_read_head(request, r);
    (void)clerk_request_complete(request);
}
