/* SPDX-License-Identifier: Apache-2.0 */
/* Loads ClerkJS and its components, and mounts what the page is for. Everything it needs is in its data attributes. */
var me = document.currentScript.dataset, root = document.getElementById('clerk');
/* One slash: `//name/` would be another host. */
var here = location.pathname.replace(/[^/]*$/, '').replace(/^\/+/, '/');
function page(name) { return here + name + '?redirect_url=' + encodeURIComponent(me.back); }
var signUp = me.up || page('sign-up');
function say(text) {
  var note = document.getElementById('note');
  root.textContent = '';
  note.textContent = text;
  note.hidden = false;
}
function mount(method, options) {
  root.textContent = '';
  window.Clerk[method](root, Object.assign({ routing: 'hash' }, options));
}
function signedIn() {
  var channel = signInChannel();
  if (channel) { channel.postMessage('signed-in'); }
  say('You are signed in. You can close this tab and go on in the one that you came from.');
}
var show = {
  'sign-in': function (clerk) {
    if (clerk.user) { location.replace(me.back); return; }
    mount('mountSignIn', { signUpUrl: signUp, forceRedirectUrl: me.back, signUpForceRedirectUrl: me.back });
  },
  'sign-up': function (clerk) {
    if (clerk.user) { location.replace(me.back); return; }
    mount('mountSignUp', { signInUrl: page('sign-in'), forceRedirectUrl: me.back, signInForceRedirectUrl: me.back });
  },
  'account': function (clerk) {
    if (!clerk.user) { location.replace(here + 'sign-in?redirect_url=' + encodeURIComponent(here + 'account')); return; }
    mount('mountUserProfile', {});
  },
  'organization': function (clerk) {
    if (!clerk.user) { location.replace(here + 'sign-in?redirect_url=' + encodeURIComponent(here + 'organization')); return; }
    if (clerk.organization) {
      mount('mountOrganizationProfile', {});
      window.Clerk.mountOrganizationSwitcher(document.getElementById('switch'),
        { afterSelectOrganizationUrl: me.back, afterSelectPersonalUrl: me.back, afterCreateOrganizationUrl: me.back });
    } else { mount('mountOrganizationList', { afterSelectOrganizationUrl: me.back, afterCreateOrganizationUrl: me.back }); }
  },
  'renew': function (clerk) {
    if (!clerk.session) { location.replace(page('sign-in')); return; }
    return clerk.session.getToken({ skipCache: true }).then(function (token) {
      /* A cookie that the browser has not kept would only lead back here. */
      if (token && document.cookie.indexOf(token) >= 0) { location.replace(me.back); return; }
      say('Your browser has not kept the session of this site. Please allow cookies for it. If they are allowed, '
        + 'tell whoever runs this site: the session token has ' + (token || '').length + ' bytes, and with its name '
        + 'it must not have more than 4,096.');
    });
  },
  /* The form that waits in another tab (form.js) is told. */
  'signed-in': function (clerk) {
    if (!clerk.user) { location.replace(here + 'sign-in?redirect_url=' + encodeURIComponent(here + 'signed-in')); return; }
    signedIn();
  },
  'sign-out': function (clerk) {
    if (!clerk.user) { location.replace(me.back); return; }
    return clerk.signOut({ redirectUrl: me.back });
  }
};
/* The server has looked: on a satellite, ClerkJS does not know the session of the primary domain. */
if (me.satellite && me.page === 'signed-in') {
  if (me.known) { signedIn(); } else { say('You are not signed in here. Please go back to the tab that you came from.'); }
  return;
}
var needsUi = { 'sign-in': 1, 'sign-up': 1, 'account': 1, 'organization': 1 }[me.page];
Promise.all([
  needsUi ? load(me.ui, {}) : null,
  load(me.script, { 'data-clerk-publishable-key': me.key, 'data-clerk-proxy-url': me.proxy, 'data-clerk-domain': me.domain })
]).then(function () {
  /* The server has checked where the way back leads. */
  var options = { telemetry: false, signInUrl: page('sign-in'), signUpUrl: signUp,
    allowedRedirectOrigins: [location.origin, new URL(me.back, location.href).origin] };
  if (needsUi) { options.ui = { ClerkUI: window.__internal_ClerkUICtor }; }
  return window.Clerk.load(options);
}).then(function () {
  return show[me.page](window.Clerk);
}).catch(function (error) {
  say('The sign-in service cannot be reached just now. Please try again in a moment. (' + error.message + ')');
});
