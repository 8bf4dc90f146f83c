/* SPDX-License-Identifier: Apache-2.0 */
/* * Keeps the session fresh while the page is open, and holds forms, fetch() and XMLHttpRequest for the moment that a
 * stale token takes to renew. With data-script it loads ClerkJS as well, which then renews. browser-flow.md "A page that
 * stays signed in". */
var me = document.currentScript, data = me && me.dataset;
if (!data || !data.clerk || window.clerkStarter) { return; }
window.clerkStarter = true;
var HOLD = 4000, FRAME = 8000, TICK = 10000, RETRY = 5000, RETRY_MOST = 300000;
var here = new URL('.', me.src).href, nonce = me.nonce;
var nativeFetch = window.fetch;
var clerk = null, renewing = null, signedOut = false, failures = 0, notBefore = 0, asked = 0, timer;
/* The server's clock: `offset` milliseconds ahead of this one. A clock that is set back does not set this one back. */
var offset = Number(storage('clerk-clock')), known = storage('clerk-clock') !== null, lead = Date.now() - performance.now();
function storage(name, value) {
  try {
    if (value !== undefined) { sessionStorage.setItem(name, value); }
    return sessionStorage.getItem(name);
  } catch (refused) { return null; }
}
function now() {
  var ahead = Date.now() - performance.now();
  if (ahead < lead - 50) { offset += lead - ahead; }
  lead = ahead;
  return Date.now() + offset;
}
/* The user and the times of the session token, in milliseconds, or null: none, or a script cannot read it. */
function token() {
  var found = null, names = ['__session_' + data.clerk, '__session'];
  try {
    names.some(function (name) {
      document.cookie.split('; ').forEach(function (cookie) {
        if (cookie.indexOf(name + '=') === 0) { found = cookie.slice(name.length + 1); }
      });
      return found;
    });
    var claims = JSON.parse(atob(found.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
    return { user: claims.sub, expires: claims.exp * 1000, life: (claims.exp - claims.iat) * 1000 };
  } catch (unreadable) { return null; }
}
function left() {
  var times = token();
  return times ? times.expires - now() : asked - now();
}
/* A clock that is wrong shows in a token with more time than it ever had. */
function implausible() {
  var times = token();
  return !known || (times && times.expires - now() > times.life + 2000);
}
function stale() { return !signedOut && left() <= 0; }
function ask(query) {
  return nativeFetch.call(window, here + 'status.json' + query, { credentials: 'same-origin', cache: 'no-store' }).then(function (answer) {
    if (!answer.ok) { throw new Error('status ' + answer.status); }
    return answer.json().then(function (said) {
      var reason = answer.headers.get('X-Clerk-Auth-Reason') || '';
      offset = said.now * 1000 - Date.now();
      known = true;
      storage('clerk-clock', offset);
      asked = said.signedIn ? said.expiresAt * 1000 : 0;
      signedOut = !said.signedIn && /^session-token-and-uat-missing|^signed-out|^session-pending/.test(reason);
      return said.signedIn && left() > 0;
    });
  });
}
function frame() { return visit(here + 'renew-frame', FRAME).then(function () { return ask(''); }); }
function attempt() {
  /* Another tab may have done it, while this one waited for its turn. */
  if (left() > 0 && !implausible()) { return true; }
  if (clerk && clerk.session) {
    return clerk.session.getToken({ skipCache: true }).then(function () { return left() > 0; });
  }
  /* Without a secret key the server cannot renew by itself, and need not be asked. */
  if (data.renewal === 'frame' && token() && !implausible()) { return frame(); }
  return ask('?renew').then(function (fresh) { return fresh || signedOut || frame(); });
}
/* One renewal at a time, in all tabs. */
function renew() {
  if (!renewing) {
    renewing = (navigator.locks ? navigator.locks.request('clerk-renew', attempt) : Promise.resolve().then(attempt))
      .catch(function () { return false; })
      .then(function (fresh) {
        renewing = null;
        failures = fresh ? 0 : failures + 1;
        notBefore = fresh ? 0 : performance.now() + Math.min(RETRY * Math.pow(2, failures - 1), RETRY_MOST);
        plan();
        return fresh;
      });
  }
  return renewing;
}
/* For what has to wait: over when the token is fresh, or after some seconds in any case. */
function hold() {
  return Promise.race([renew(), new Promise(function (done) { setTimeout(done, HOLD); })]);
}
function blocked() { return stale() && (renewing || performance.now() >= notBefore); }
/* Visible pages renew by themselves, a moment after the token has lapsed: until ClerkClockSkew is over it is still good. */
function check() {
  if (signedOut && token()) { signedOut = false; }
  if (!document.hidden && !signedOut && (stale() || implausible()) && performance.now() >= notBefore) { renew(); } else { plan(); }
}
function plan() {
  clearTimeout(timer);
  timer = setTimeout(check, Math.min(Math.max(left() + 300 + Math.random() * 400, 1000), TICK));
}
['visibilitychange', 'focus', 'pageshow', 'online'].forEach(function (name) {
  window.addEventListener(name, function () {
    if (!document.hidden) { notBefore = 0; check(); }
  }, true);
});
/* Whether a request goes to this site, and not to Clerk by way of it. */
function own(url) {
  try {
    url = new URL(url, document.baseURI);
    return url.origin === location.origin && !(data.proxy && url.href.indexOf(data.proxy + '/') === 0);
  } catch (malformed) { return false; }
}
if (nativeFetch && window.Request) {
  window.fetch = function (input, init) {
    if (!blocked() || !own(input instanceof Request ? input.url : input)) { return nativeFetch.apply(this, arguments); }
    var request;
    try { request = new Request(input, init); } catch (malformed) { return nativeFetch.apply(this, arguments); }
    /* What is sent while the page is being left cannot wait. */
    if (request.keepalive) { return nativeFetch.call(window, request); }
    return hold().then(function () { return nativeFetch.call(window, request); });
  };
}
var XHR = XMLHttpRequest.prototype, nativeOpen = XHR.open, nativeSend = XHR.send, nativeAbort = XHR.abort;
var opened = new WeakMap();
XHR.open = function (method, url, async) {
  opened.set(this, { own: own(url) && (arguments.length < 3 || !!async), waits: false });
  return nativeOpen.apply(this, arguments);
};
XHR.send = function (body) {
  var xhr = this, call = opened.get(xhr);
  if (!call || !call.own || call.waits || xhr.readyState !== 1 || !blocked()) { return nativeSend.apply(xhr, arguments); }
  call.waits = true;
  hold().then(function () {
    if (call.waits && opened.get(xhr) === call) {
      call.waits = false;
      nativeSend.call(xhr, body);
    }
  });
};
XHR.abort = function () {
  var call = opened.get(this);
  if (call) { call.waits = false; }
  return nativeAbort.apply(this, arguments);
};
/* Another person may have signed in since, in another tab, who would send what this one has written. */
var owner = (token() || {}).user;
function mine() {
  var user = (token() || {}).user;
  if (owner && user && owner !== user) {
    if (!window.confirm('Another account has signed in since you opened this page. Send this form as that account?')) { return false; }
    owner = user;
  }
  return true;
}
/* A form that was held is submitted once more, with its button, so that the application's own listeners see it once. */
var requestSubmit = HTMLFormElement.prototype.requestSubmit, held = new WeakSet(), passing = new WeakSet();
window.addEventListener('submit', function (event) {
  var form = event.target, button = event.submitter;
  function said(name) {
    return button && button.hasAttribute('form' + name) ? button.getAttribute('form' + name) : form.getAttribute(name);
  }
  if (!requestSubmit || !event.isTrusted || !(form instanceof HTMLFormElement) || passing.has(form)) { return; }
  var method = (said('method') || '').trim().toLowerCase();
  function asked() { return method !== 'post' || mine(); }
  if (!held.has(form) && (!own(said('action') || '') || method === 'dialog' || (!blocked() && asked()))) { return; }
  event.preventDefault();
  event.stopImmediatePropagation();
  if (held.has(form) || !blocked()) { return; }
  held.add(form);
  hold().then(function () {
    held.delete(form);
    if (!asked()) { return; }
    passing.add(form);
    try {
      requestSubmit.call(form, button && button.form === form ? button : null);
    } finally {
      passing.delete(form);
    }
  });
}, true);
function place() {
  var box, corner = /^(top|bottom)-(left|right)$/.exec(data.button);
  if (!corner) { return document.querySelector(data.button); }
  box = document.createElement('div');
  box.style.cssText = 'position:fixed;z-index:2147483000;display:flex;gap:8px;align-items:center;' + corner[1] + ':12px;' + corner[2] + ':12px';
  document.body.appendChild(box);
  return box;
}
function mount() {
  var where = place(), environment = clerk.__internal_environment || clerk.__unstable__environment;
  if (!where) {
    console.warn('ClerkUserButton: no element matches ' + data.button);
    return;
  }
  if (environment && environment.organizationSettings && environment.organizationSettings.enabled) {
    clerk.mountOrganizationSwitcher(where.appendChild(document.createElement('div')));
  }
  clerk.mountUserButton(where.appendChild(document.createElement('div')));
}
function ready() {
  return new Promise(function (done) {
    if (document.readyState !== 'loading') { done(); } else { document.addEventListener('DOMContentLoaded', done); }
  });
}
if (data.script && !window.Clerk) {
  Promise.all([
    data.button ? load(data.ui, {}, nonce) : null,
    load(data.script, { 'data-clerk-publishable-key': data.key, 'data-clerk-proxy-url': data.proxy, 'data-clerk-domain': data.domain }, nonce)
  ]).then(function () {
    var options = { telemetry: false, signInUrl: here + 'sign-in', signUpUrl: here + 'sign-up' };
    if (data.button) { options.ui = { ClerkUI: window.__internal_ClerkUICtor }; }
    return window.Clerk.load(options);
  }).then(ready).then(function () {
    clerk = window.Clerk;
    if (data.button && clerk.user) { mount(); }
  }).catch(function (error) { console.warn('Clerk: ' + error.message); });
}
check();
