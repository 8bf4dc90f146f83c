/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/request/audit.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>

#include "clerk/verdicts.h"

/* The most bytes of a member in the line, escapes counted. All together they fit into CLERK_JSON_LINE_MAX. */
#define ID_MAX 200
#define NAME_MAX_LEN 100
#define HOST_MAX_LEN 260
#define PATH_MAX_LEN 700
#define TARGET_MAX_LEN 300
#define REQUIRE_MAX_LEN 350

/* What the decision was made for: for another part of the answer only if nothing was decided for the answer itself. */
typedef enum part {
    PART_OTHER, /* a subrequest, or an ErrorDocument */
    PART_ANSWER /* the client's request, or one that it was redirected to inside httpd */
} part;

/* A decision, in the pool of the client's request: those of subrequests may end before it does. */
typedef struct clerk_audit_entry {
    part about;
    const char *instance;
    clerk_status status;
    const char *reason;                                                          /* "" when signed in */
    const char *token_type, *subject, *user_id, *session_id, *org_id, *actor_id; /* NULL: none, or not known */
    const char *target; /* the path after redirects inside httpd, or of the subrequest; NULL: the one in the URL */
    int forbidden;      /* signed in, and a Require refused */
    const char *met;    /* the Require lines that granted; NULL: none that is known */
    const char *unmet;  /* those that did not */
    /* Of a subrequest that a Require refused; mod_dir makes it the answer of the request for a directory. */
    struct clerk_audit_entry *refused_part;
} clerk_audit_entry;

static part part_of(const request_rec *r)
{
    for (; r; r = r->prev) {
        if (r->main || (r->prev && r->prev->status >= HTTP_BAD_REQUEST)) {
            return PART_OTHER;
        }
    }
    return PART_ANSWER;
}

static const char *copy(const char *text, apr_pool_t *pool)
{
    return text ? apr_pstrdup(pool, text) : NULL;
}

void clerk_audit_note_decision(request_rec *r, const clerk_runtime *runtime, const clerk_outcome *outcome)
{
    request_rec *top = clerk_request_state_top(r);
    clerk_request_state *state = clerk_request_state_get(top);
    const clerk_identity *identity = outcome->identity;
    part about = part_of(r);
    clerk_audit_entry *entry;

    if (state->audit && state->audit->about > about) {
        return;
    }
    state->audit = entry = apr_pcalloc(top->pool, sizeof(*entry));
    entry->about = about;
    entry->instance = runtime->instance->name;
    entry->status = outcome->status;
    entry->reason = copy(outcome->reason_text, top->pool);
    entry->target = r == top ? NULL : copy(r->uri, top->pool);
    if (identity) {
        entry->token_type = clerk_token_type_name(identity->kind);
        entry->subject = copy(identity->subject, top->pool);
        entry->user_id = copy(identity->user_id, top->pool);
        entry->session_id = copy(identity->session_id, top->pool);
        entry->org_id = copy(identity->org_id, top->pool);
        entry->actor_id = copy(identity->actor_id, top->pool);
    }
}

void clerk_audit_note_requirements(request_rec *r, const char *refusal, const char *met, const char *unmet)
{
    request_rec *top = clerk_request_state_top(r);
    clerk_audit_entry *entry = clerk_request_state_get(top)->audit;

    if (entry && entry->about > part_of(r)) {
        if (!refusal || !r->main) {
            return;
        }
        entry = entry->refused_part = apr_pmemdup(top->pool, entry, sizeof(*entry));
    }
    if (!entry) {
        return;
    }
    entry->forbidden = refusal != NULL;
    entry->reason = refusal ? copy(refusal, top->pool) : entry->reason;
    entry->met = copy(met, top->pool);
    entry->unmet = copy(unmet, top->pool);
    entry->target = r == top ? NULL : copy(r->uri, top->pool);
}

static const char *time_text(apr_time_t when, apr_pool_t *pool)
{
    apr_time_exp_t t;

    if (apr_time_exp_gmt(&t, when) != APR_SUCCESS) {
        return NULL;
    }
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                        t.tm_hour, t.tm_min, t.tm_sec, t.tm_usec);
}

/* The id of mod_unique_id, which mod_log_config has as %{UNIQUE_ID}e; else that of the error log's %L. */
static const char *request_id(const request_rec *top, const request_rec *last)
{
    const char *id = apr_table_get(top->subprocess_env, "UNIQUE_ID");

    return id ? id : last->log_id ? last->log_id : top->log_id;
}

static void write_entry(const clerk_audit_entry *entry, request_rec *top, const request_rec *last)
{
    const char *path = top->parsed_uri.path ? top->parsed_uri.path : top->uri;
    clerk_json_line line;

    clerk_json_line_begin(&line);
    clerk_json_line_text(&line, "time", time_text(top->request_time, top->pool), NAME_MAX_LEN);
    clerk_json_line_text(&line, "instance", entry->instance, ID_MAX);
    clerk_json_line_text(&line, "verdict", entry->forbidden ? "forbidden" : clerk_verdicts_name(entry->status),
                         NAME_MAX_LEN);
    clerk_json_line_text(&line, "reason", *entry->reason ? entry->reason : NULL, NAME_MAX_LEN);
    clerk_json_line_number(&line, "status", last->status);
    clerk_json_line_text(&line, "token_type", entry->token_type, NAME_MAX_LEN);
    clerk_json_line_text(&line, "subject", entry->subject, ID_MAX);
    clerk_json_line_text(&line, "user", entry->user_id, ID_MAX);
    clerk_json_line_text(&line, "session", entry->session_id, ID_MAX);
    clerk_json_line_text(&line, "organization", entry->org_id, ID_MAX);
    clerk_json_line_text(&line, "actor", entry->actor_id, ID_MAX);
    clerk_json_line_text(&line, "met", entry->met, REQUIRE_MAX_LEN);
    clerk_json_line_text(&line, "unmet", entry->unmet, REQUIRE_MAX_LEN);
    clerk_json_line_text(&line, "client", top->useragent_ip, NAME_MAX_LEN);
    clerk_json_line_text(&line, "method", top->method, NAME_MAX_LEN);
    clerk_json_line_text(&line, "host", top->hostname, HOST_MAX_LEN);
    clerk_json_line_text(&line, "path", path, PATH_MAX_LEN);
    clerk_json_line_text(&line, "target", entry->target, TARGET_MAX_LEN);
    clerk_json_line_text(&line, "request_id", request_id(top, last), ID_MAX);
    clerk_json_line_end(&line);
    clerk_audit_log_write(&line, top);
}

static int log_transaction(request_rec *r)
{
    const clerk_request_state *state;
    const clerk_audit_entry *entry;
    const request_rec *last = r;
    request_rec *top;

    if (!clerk_audit_log_is_open()) {
        return DECLINED;
    }
    top = clerk_request_state_top(r);
    while (last->next) {
        last = last->next;
    }
    state = clerk_request_state_if_any(top);
    entry = state ? state->audit : NULL;
    if (entry && entry->refused_part && !entry->forbidden && last->status == HTTP_FORBIDDEN) {
        entry = entry->refused_part;
    }
    if (entry) {
        write_entry(entry, top, last);
    }
    return DECLINED;
}

void clerk_audit_register(void)
{
    ap_hook_log_transaction(log_transaction, NULL, NULL, APR_HOOK_MIDDLE);
}
