/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/site/site_start.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <http_protocol.h>

/* clang-format off */

/*
 * Keeps the session fresh while the page is open, and holds forms, fetch() and XMLHttpRequest for the moment that a
 * stale token takes to renew. With data-script it loads ClerkJS as well, which then renews. browser-flow.md "A page that
 * stays signed in".
 */
static const char script[] =
    "(function () {\n"
    "  'use strict';\n"
    "  var me = document.currentScript, data = me && me.dataset;\n"
    "  if (!data || !data.clerk || window.clerkStarter) { return; }\n"
    "  window.clerkStarter = true;\n"
    "  var HOLD = 4000, FRAME = 8000, TICK = 10000, RETRY = 5000, RETRY_MOST = 300000;\n"
    "  var here = new URL('.', me.src).href, nonce = me.nonce;\n"
    "  var nativeFetch = window.fetch;\n"
    "  var clerk = null, renewing = null, signedOut = false, failures = 0, notBefore = 0, asked = 0, timer;\n"
    /* The server's clock: `offset` milliseconds ahead of this one. A clock that is set back does not set this one back. */
    "  var offset = Number(storage('clerk-clock')), known = storage('clerk-clock') !== null, lead = Date.now() - performance.now();\n"
    "  function storage(name, value) {\n"
    "    try {\n"
    "      if (value !== undefined) { sessionStorage.setItem(name, value); }\n"
    "      return sessionStorage.getItem(name);\n"
    "    } catch (refused) { return null; }\n"
    "  }\n"
    "  function now() {\n"
    "    var ahead = Date.now() - performance.now();\n"
    "    if (ahead < lead - 50) { offset += lead - ahead; }\n"
    "    lead = ahead;\n"
    "    return Date.now() + offset;\n"
    "  }\n"
    /* The user and the times of the session token, in milliseconds, or null: none, or a script cannot read it. */
    "  function token() {\n"
    "    var found = null, names = ['__session_' + data.clerk, '__session'];\n"
    "    try {\n"
    "      names.some(function (name) {\n"
    "        document.cookie.split('; ').forEach(function (cookie) {\n"
    "          if (cookie.indexOf(name + '=') === 0) { found = cookie.slice(name.length + 1); }\n"
    "        });\n"
    "        return found;\n"
    "      });\n"
    "      var claims = JSON.parse(atob(found.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));\n"
    "      return { user: claims.sub, expires: claims.exp * 1000, life: (claims.exp - claims.iat) * 1000 };\n"
    "    } catch (unreadable) { return null; }\n"
    "  }\n"
    "  function left() {\n"
    "    var times = token();\n"
    "    return times ? times.expires - now() : asked - now();\n"
    "  }\n"
    /* A clock that is wrong shows in a token with more time than it ever had. */
    "  function implausible() {\n"
    "    var times = token();\n"
    "    return !known || (times && times.expires - now() > times.life + 2000);\n"
    "  }\n"
    "  function stale() { return !signedOut && left() <= 0; }\n"
    "  function ask(query) {\n"
    "    return nativeFetch.call(window, here + 'status.json' + query, { credentials: 'same-origin', cache: 'no-store' }).then(function (answer) {\n"
    "      if (!answer.ok) { throw new Error('status ' + answer.status); }\n"
    "      return answer.json().then(function (said) {\n"
    "        var reason = answer.headers.get('X-Clerk-Auth-Reason') || '';\n"
    "        offset = said.now * 1000 - Date.now();\n"
    "        known = true;\n"
    "        storage('clerk-clock', offset);\n"
    "        asked = said.signedIn ? said.expiresAt * 1000 : 0;\n"
    "        signedOut = !said.signedIn && /^session-token-and-uat-missing|^signed-out|^session-pending/.test(reason);\n"
    "        return said.signedIn && left() > 0;\n"
    "      });\n"
    "    });\n"
    "  }\n"
    "  function frame() {\n"
    "    return new Promise(function (done) {\n"
    "      var element = document.createElement('iframe'), limit;\n"
    "      function end() {\n"
    "        clearTimeout(limit);\n"
    "        element.remove();\n"
    "        done();\n"
    "      }\n"
    "      element.hidden = true;\n"
    "      element.title = '';\n"
    "      element.setAttribute('aria-hidden', 'true');\n"
    "      element.src = here + 'renew-frame';\n"
    "      element.onload = end;\n"
    "      limit = setTimeout(end, FRAME);\n"
    "      document.documentElement.appendChild(element);\n"
    "    }).then(function () { return ask(''); });\n"
    "  }\n"
    "  function attempt() {\n"
    /* Another tab may have done it, while this one waited for its turn. */
    "    if (left() > 0 && !implausible()) { return true; }\n"
    "    if (clerk && clerk.session) {\n"
    "      return clerk.session.getToken({ skipCache: true }).then(function () { return left() > 0; });\n"
    "    }\n"
    /* Without a secret key the server cannot renew by itself, and need not be asked. */
    "    if (data.renewal === 'frame' && token() && !implausible()) { return frame(); }\n"
    "    return ask('?renew').then(function (fresh) { return fresh || signedOut || frame(); });\n"
    "  }\n"
    /* One renewal at a time, in all tabs. */
    "  function renew() {\n"
    "    if (!renewing) {\n"
    "      renewing = (navigator.locks ? navigator.locks.request('clerk-renew', attempt) : Promise.resolve().then(attempt))\n"
    "        .catch(function () { return false; })\n"
    "        .then(function (fresh) {\n"
    "          renewing = null;\n"
    "          failures = fresh ? 0 : failures + 1;\n"
    "          notBefore = fresh ? 0 : performance.now() + Math.min(RETRY * Math.pow(2, failures - 1), RETRY_MOST);\n"
    "          plan();\n"
    "          return fresh;\n"
    "        });\n"
    "    }\n"
    "    return renewing;\n"
    "  }\n"
    /* For what has to wait: over when the token is fresh, or after some seconds in any case. */
    "  function hold() {\n"
    "    return Promise.race([renew(), new Promise(function (done) { setTimeout(done, HOLD); })]);\n"
    "  }\n"
    "  function blocked() { return stale() && (renewing || performance.now() >= notBefore); }\n"
    /* Visible pages renew by themselves, a moment after the token has lapsed: until ClerkClockSkew is over it is still good. */
    "  function check() {\n"
    "    if (signedOut && token()) { signedOut = false; }\n"
    "    if (!document.hidden && !signedOut && (stale() || implausible()) && performance.now() >= notBefore) { renew(); } else { plan(); }\n"
    "  }\n"
    "  function plan() {\n"
    "    clearTimeout(timer);\n"
    "    timer = setTimeout(check, Math.min(Math.max(left() + 300 + Math.random() * 400, 1000), TICK));\n"
    "  }\n"
    "  ['visibilitychange', 'focus', 'pageshow', 'online'].forEach(function (name) {\n"
    "    window.addEventListener(name, function () {\n"
    "      if (!document.hidden) { notBefore = 0; check(); }\n"
    "    }, true);\n"
    "  });\n"
    /* Whether a request goes to this site, and not to Clerk by way of it. */
    "  function own(url) {\n"
    "    try {\n"
    "      url = new URL(url, document.baseURI);\n"
    "      return url.origin === location.origin && !(data.proxy && url.href.indexOf(data.proxy + '/') === 0);\n"
    "    } catch (malformed) { return false; }\n"
    "  }\n"
    "  if (nativeFetch && window.Request) {\n"
    "    window.fetch = function (input, init) {\n"
    "      if (!blocked() || !own(input instanceof Request ? input.url : input)) { return nativeFetch.apply(this, arguments); }\n"
    "      var request;\n"
    "      try { request = new Request(input, init); } catch (malformed) { return nativeFetch.apply(this, arguments); }\n"
    /* What is sent while the page is being left cannot wait. */
    "      if (request.keepalive) { return nativeFetch.call(window, request); }\n"
    "      return hold().then(function () { return nativeFetch.call(window, request); });\n"
    "    };\n"
    "  }\n"
    "  var XHR = XMLHttpRequest.prototype, nativeOpen = XHR.open, nativeSend = XHR.send, nativeAbort = XHR.abort;\n"
    "  var opened = new WeakMap();\n"
    "  XHR.open = function (method, url, async) {\n"
    "    opened.set(this, { own: own(url) && (arguments.length < 3 || !!async), waits: false });\n"
    "    return nativeOpen.apply(this, arguments);\n"
    "  };\n"
    "  XHR.send = function (body) {\n"
    "    var xhr = this, call = opened.get(xhr);\n"
    "    if (!call || !call.own || call.waits || xhr.readyState !== 1 || !blocked()) { return nativeSend.apply(xhr, arguments); }\n"
    "    call.waits = true;\n"
    "    hold().then(function () {\n"
    "      if (call.waits && opened.get(xhr) === call) {\n"
    "        call.waits = false;\n"
    "        nativeSend.call(xhr, body);\n"
    "      }\n"
    "    });\n"
    "  };\n"
    "  XHR.abort = function () {\n"
    "    var call = opened.get(this);\n"
    "    if (call) { call.waits = false; }\n"
    "    return nativeAbort.apply(this, arguments);\n"
    "  };\n"
    /* Another person may have signed in since, in another tab, who would send what this one has written. */
    "  var owner = (token() || {}).user;\n"
    "  function mine() {\n"
    "    var user = (token() || {}).user;\n"
    "    if (owner && user && owner !== user) {\n"
    "      if (!window.confirm('Another account has signed in since you opened this page. Send this form as that account?')) { return false; }\n"
    "      owner = user;\n"
    "    }\n"
    "    return true;\n"
    "  }\n"
    /* A form that was held is submitted once more, with its button, so that the application's own listeners see it once. */
    "  var requestSubmit = HTMLFormElement.prototype.requestSubmit, held = new WeakSet(), passing = new WeakSet();\n"
    "  window.addEventListener('submit', function (event) {\n"
    "    var form = event.target, button = event.submitter;\n"
    "    function said(name) {\n"
    "      return button && button.hasAttribute('form' + name) ? button.getAttribute('form' + name) : form.getAttribute(name);\n"
    "    }\n"
    "    if (!requestSubmit || !event.isTrusted || !(form instanceof HTMLFormElement) || passing.has(form)) { return; }\n"
    "    var method = (said('method') || '').trim().toLowerCase();\n"
    "    function asked() { return method !== 'post' || mine(); }\n"
    "    if (!held.has(form) && (!own(said('action') || '') || method === 'dialog' || (!blocked() && asked()))) { return; }\n"
    "    event.preventDefault();\n"
    "    event.stopImmediatePropagation();\n"
    "    if (held.has(form) || !blocked()) { return; }\n"
    "    held.add(form);\n"
    "    hold().then(function () {\n"
    "      held.delete(form);\n"
    "      if (!asked()) { return; }\n"
    "      passing.add(form);\n"
    "      try {\n"
    "        requestSubmit.call(form, button && button.form === form ? button : null);\n"
    "      } finally {\n"
    "        passing.delete(form);\n"
    "      }\n"
    "    });\n"
    "  }, true);\n"
    "  function load(url, attributes) {\n"
    "    return new Promise(function (done, failed) {\n"
    "      var script = document.createElement('script');\n"
    "      script.src = url;\n"
    "      script.crossOrigin = 'anonymous';\n"
    "      if (nonce) { script.nonce = nonce; }\n"
    "      Object.keys(attributes).forEach(function (name) {\n"
    "        if (attributes[name]) { script.setAttribute(name, attributes[name]); }\n"
    "      });\n"
    "      script.onload = done;\n"
    "      script.onerror = function () { failed(new Error('cannot load ' + url)); };\n"
    "      document.head.appendChild(script);\n"
    "    });\n"
    "  }\n"
    "  function place() {\n"
    "    var box, corner = /^(top|bottom)-(left|right)$/.exec(data.button);\n"
    "    if (!corner) { return document.querySelector(data.button); }\n"
    "    box = document.createElement('div');\n"
    "    box.style.cssText = 'position:fixed;z-index:2147483000;display:flex;gap:8px;align-items:center;' + corner[1] + ':12px;' + corner[2] + ':12px';\n"
    "    document.body.appendChild(box);\n"
    "    return box;\n"
    "  }\n"
    "  function mount() {\n"
    "    var where = place(), environment = clerk.__internal_environment || clerk.__unstable__environment;\n"
    "    if (!where) {\n"
    "      console.warn('ClerkUserButton: no element matches ' + data.button);\n"
    "      return;\n"
    "    }\n"
    "    if (environment && environment.organizationSettings && environment.organizationSettings.enabled) {\n"
    "      clerk.mountOrganizationSwitcher(where.appendChild(document.createElement('div')));\n"
    "    }\n"
    "    clerk.mountUserButton(where.appendChild(document.createElement('div')));\n"
    "  }\n"
    "  function ready() {\n"
    "    return new Promise(function (done) {\n"
    "      if (document.readyState !== 'loading') { done(); } else { document.addEventListener('DOMContentLoaded', done); }\n"
    "    });\n"
    "  }\n"
    "  if (data.script && !window.Clerk) {\n"
    "    Promise.all([\n"
    "      data.button ? load(data.ui, {}) : null,\n"
    "      load(data.script, { 'data-clerk-publishable-key': data.key, 'data-clerk-proxy-url': data.proxy, 'data-clerk-domain': data.domain })\n"
    "    ]).then(function () {\n"
    "      var options = { telemetry: false, signInUrl: here + 'sign-in', signUpUrl: here + 'sign-up' };\n"
    "      if (data.button) { options.ui = { ClerkUI: window.__internal_ClerkUICtor }; }\n"
    "      return window.Clerk.load(options);\n"
    "    }).then(ready).then(function () {\n"
    "      clerk = window.Clerk;\n"
    "      if (data.button && clerk.user) { mount(); }\n"
    "    }).catch(function (error) { console.warn('Clerk: ' + error.message); });\n"
    "  }\n"
    "  check();\n"
    "}());\n";

/* clang-format on */

/* Set before there are threads. */
static char version[sizeof("v=00000000")];

void clerk_site_start_prepare(void)
{
    apr_ssize_t len = sizeof(script) - 1;

    apr_snprintf(version, sizeof(version), "v=%08x", apr_hashfunc_default(script, &len));
}

const char *clerk_site_start_version(void)
{
    return version;
}

int clerk_site_start(request_rec *r, const char *page)
{
    int is_current = r->args && !strcmp(r->args, version);

    (void)page;
    if (r->method_number != M_GET) {
        r->allowed |= AP_METHOD_BIT << M_GET;
        return HTTP_METHOD_NOT_ALLOWED;
    }
    /* Pages name the version, so a browser may keep it for good. */
    apr_table_setn(r->headers_out, "Cache-Control",
                   is_current ? "public, max-age=31536000, immutable" : "public, max-age=300");
    apr_table_setn(r->headers_out, "Cross-Origin-Resource-Policy", "same-origin");
    ap_set_content_type(r, "text/javascript; charset=utf-8");
    ap_rputs(script, r);
    return OK;
}
