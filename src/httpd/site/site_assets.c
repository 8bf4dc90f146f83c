/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_assets.h"

#include <string.h>

#include <http_protocol.h>

#include "httpd/site/site_form_script.h"

/* clang-format off */

/* Loads ClerkJS and its components, and mounts what the page is for. Everything it needs is in its data attributes. */
static const char script[] =
    "(function () {\n"
    "  'use strict';\n"
    "  var me = document.currentScript.dataset, root = document.getElementById('clerk');\n"
    "  /* One slash: `//name/` would be another host. */\n"
    "  var here = location.pathname.replace(/[^/]*$/, '').replace(/^\\/+/, '/');\n"
    "  function page(name) { return here + name + '?redirect_url=' + encodeURIComponent(me.back); }\n"
    "  var signUp = me.up || page('sign-up');\n"
    "  function say(text) {\n"
    "    var note = document.getElementById('note');\n"
    "    root.textContent = '';\n"
    "    note.textContent = text;\n"
    "    note.hidden = false;\n"
    "  }\n"
    "  function load(url, attributes) {\n"
    "    return new Promise(function (done, failed) {\n"
    "      var script = document.createElement('script');\n"
    "      script.src = url;\n"
    "      script.crossOrigin = 'anonymous';\n"
    "      Object.keys(attributes).forEach(function (name) {\n"
    "        if (attributes[name]) { script.setAttribute(name, attributes[name]); }\n"
    "      });\n"
    "      script.onload = done;\n"
    "      script.onerror = function () { failed(new Error('cannot load ' + url)); };\n"
    "      document.head.appendChild(script);\n"
    "    });\n"
    "  }\n"
    "  function mount(method, options) {\n"
    "    root.textContent = '';\n"
    "    window.Clerk[method](root, Object.assign({ routing: 'hash' }, options));\n"
    "  }\n"
    "  function signedIn() {\n"
    "    if (window.BroadcastChannel) { new BroadcastChannel(" CLERK_SITE_FORM_CHANNEL ").postMessage('signed-in'); }\n"
    "    say('You are signed in. You can close this tab and go on in the one that you came from.');\n"
    "  }\n"
    "  var show = {\n"
    "    'sign-in': function (clerk) {\n"
    "      if (clerk.user) { location.replace(me.back); return; }\n"
    "      mount('mountSignIn', { signUpUrl: signUp, forceRedirectUrl: me.back, signUpForceRedirectUrl: me.back });\n"
    "    },\n"
    "    'sign-up': function (clerk) {\n"
    "      if (clerk.user) { location.replace(me.back); return; }\n"
    "      mount('mountSignUp', { signInUrl: page('sign-in'), forceRedirectUrl: me.back, signInForceRedirectUrl: me.back });\n"
    "    },\n"
    "    'account': function (clerk) {\n"
    "      if (!clerk.user) { location.replace(here + 'sign-in?redirect_url=' + encodeURIComponent(here + 'account')); return; }\n"
    "      mount('mountUserProfile', {});\n"
    "    },\n"
    "    'organization': function (clerk) {\n"
    "      if (!clerk.user) { location.replace(here + 'sign-in?redirect_url=' + encodeURIComponent(here + 'organization')); return; }\n"
    "      if (clerk.organization) {\n"
    "        mount('mountOrganizationProfile', {});\n"
    "        window.Clerk.mountOrganizationSwitcher(document.getElementById('switch'),\n"
    "          { afterSelectOrganizationUrl: me.back, afterSelectPersonalUrl: me.back, afterCreateOrganizationUrl: me.back });\n"
    "      } else { mount('mountOrganizationList', { afterSelectOrganizationUrl: me.back, afterCreateOrganizationUrl: me.back }); }\n"
    "    },\n"
    "    'renew': function (clerk) {\n"
    "      if (!clerk.session) { location.replace(page('sign-in')); return; }\n"
    "      return clerk.session.getToken({ skipCache: true }).then(function (token) {\n"
    "        /* A cookie that the browser has not kept would only lead back here. */\n"
    "        if (token && document.cookie.indexOf(token) >= 0) { location.replace(me.back); return; }\n"
    "        say('Your browser has not kept the session of this site. Please allow cookies for it. If they are allowed, '\n"
    "          + 'tell whoever runs this site: the session token has ' + (token || '').length + ' bytes, and with its name '\n"
    "          + 'it must not have more than 4,096.');\n"
    "      });\n"
    "    },\n"
    /* The form that waits in another tab (form.js) is told. */
    "    'signed-in': function (clerk) {\n"
    "      if (!clerk.user) { location.replace(here + 'sign-in?redirect_url=' + encodeURIComponent(here + 'signed-in')); return; }\n"
    "      signedIn();\n"
    "    },\n"
    "    'sign-out': function (clerk) {\n"
    "      if (!clerk.user) { location.replace(me.back); return; }\n"
    "      return clerk.signOut({ redirectUrl: me.back });\n"
    "    }\n"
    "  };\n"
    /* The server has looked: on a satellite, ClerkJS does not know the session of the primary domain. */
    "  if (me.satellite && me.page === 'signed-in') {\n"
    "    if (me.known) { signedIn(); } else { say('You are not signed in here. Please go back to the tab that you came from.'); }\n"
    "    return;\n"
    "  }\n"
    "  var needsUi = { 'sign-in': 1, 'sign-up': 1, 'account': 1, 'organization': 1 }[me.page];\n"
    "  Promise.all([\n"
    "    needsUi ? load(me.ui, {}) : null,\n"
    "    load(me.script, { 'data-clerk-publishable-key': me.key, 'data-clerk-proxy-url': me.proxy, 'data-clerk-domain': me.domain })\n"
    "  ]).then(function () {\n"
    /* The server has checked where the way back leads. */
    "    var options = { telemetry: false, signInUrl: page('sign-in'), signUpUrl: signUp,\n"
    "      allowedRedirectOrigins: [location.origin, new URL(me.back, location.href).origin] };\n"
    "    if (needsUi) { options.ui = { ClerkUI: window.__internal_ClerkUICtor }; }\n"
    "    return window.Clerk.load(options);\n"
    "  }).then(function () {\n"
    "    return show[me.page](window.Clerk);\n"
    "  }).catch(function (error) {\n"
    "    say('The sign-in service cannot be reached just now. Please try again in a moment. (' + error.message + ')');\n"
    "  });\n"
    "}());\n";

static const char style[] =
    ":root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--text:#1c1e26;--dim:#646a7a;--line:#e3e5eb;--link:#40508f}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14161c;--card:#1d2029;--text:#e8eaf0;--dim:#9aa1b3;--line:#2e3340;"
    "--link:#a9b8ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;padding:1.5rem 1rem;"
    "background:var(--bg);color:var(--text);font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,"
    "\"Liberation Sans\",sans-serif}\n"
    "main{width:100%;max-width:58rem;display:flex;flex-direction:column;align-items:center}\n"
    ".card,#note,noscript{display:block;width:100%;max-width:26rem;padding:1.75rem 2rem;background:var(--card);"
    "border:1px solid var(--line);border-radius:.75rem}\n"
    "#note[hidden]{display:none}#switch:not(:empty){margin-bottom:1rem}\n"
    ".wait{color:var(--dim)}\n"
    "h1{font-size:1.4rem;line-height:1.3;margin:0 0 1rem}p{margin:0 0 .75rem}\n"
    "button,.card a{display:inline-block;margin:.5rem .75rem 0 0;padding:.5rem 1.1rem;border-radius:.5rem;font:inherit;"
    "font-weight:600;text-decoration:none;cursor:pointer}\n"
    "button,.card a.main{border:0;background:var(--link);color:var(--card)}\n"
    ".card a,button.plain{color:var(--link)}button.plain{background:none}\n"
    ".card li a,.card p a{display:inline;margin:0;padding:0;text-decoration:underline}\n"
    ".card ol{margin:0 0 .75rem;padding-left:1.25rem}.card noscript{padding:0;border:0}\n"
    "button[hidden],#more[hidden]{display:none}\n";

/* clang-format on */

static const struct {
    const char *name;
    const char *type;
    const char *content;
} assets[] = {
    {"pages.js", "text/javascript; charset=utf-8", script},
    {"form.js", "text/javascript; charset=utf-8", clerk_site_form_script},
    {"pages.css", "text/css; charset=utf-8", style},
};

int clerk_site_assets(request_rec *r, const char *page)
{
    if (r->method_number != M_GET) {
        r->allowed |= AP_METHOD_BIT << M_GET;
        return HTTP_METHOD_NOT_ALLOWED;
    }
    /* The address stays the same when the module is updated. */
    apr_table_setn(r->headers_out, "Cache-Control", "public, max-age=300");
    for (apr_size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++) {
        if (!strcmp(assets[i].name, page)) {
            ap_set_content_type(r, assets[i].type);
            ap_rputs(assets[i].content, r);
        }
    }
    return OK;
}
