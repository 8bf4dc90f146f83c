/* SPDX-License-Identifier: Apache-2.0 */
/* * Renews the session, and submits the form again. It never reads a field. A field hides the member of the form that has
 * its name, such as "submit", hence the methods of the prototypes. What decides is the server's own view of the session
 * (status.json), so that a server with a wrong clock is not sent the form for ever. */
var me = document.currentScript.dataset, here = document.currentScript.src.replace(/[^/]*$/, '');
var AGAIN = 30000, PATIENCE = 8000, SENT = 'clerk-form-sent';
var title = document.getElementById('title'), text = document.getElementById('text'), more = document.getElementById('more');
var form = document.getElementById('form'), send = document.getElementById('send');
var submit = HTMLFormElement.prototype.submit, listen = EventTarget.prototype.addEventListener;
var clerk = null, busy = false, sent = false, waiting = false, chosen = null;
function say(heading, words) {
  waiting = false;
  if (form) { title.textContent = heading; }
  text.textContent = words;
  more.textContent = '';
  more.hidden = true;
  if (send) { send.hidden = true; }
}
function button(label) {
  send.textContent = label;
  send.hidden = false;
}
function offer(label, what, kind) {
  var element = document.createElement(typeof what === 'string' ? 'a' : 'button');
  element.textContent = label;
  element.className = kind;
  if (typeof what === 'string') {
    element.href = what;
    element.target = '_blank';
    element.rel = 'noopener';
  } else {
    element.type = 'button';
    element.addEventListener('click', what);
  }
  more.appendChild(element);
  more.hidden = false;
}
/* Whether this tab has sent this form a moment ago. Where that cannot be noted, nothing is sent by itself. */
function justSent(now) {
  try {
    var noted = (sessionStorage.getItem(SENT) || '').split(' ');
    if (now) { sessionStorage.setItem(SENT, Date.now() + ' ' + location.href); }
    return noted[1] === location.href && Math.abs(Date.now() - Number(noted[0])) < AGAIN;
  } catch (refused) { return true; }
}
function go() {
  say('One moment, please', 'Your form is being sent.');
  sent = true;
  submit.call(form);
}
function start() {
  return window.Clerk.load({ telemetry: false, signInUrl: here + 'sign-in', signUpUrl: here + 'sign-up' }).then(function () {
    clerk = window.Clerk;
  });
}
/* ClerkJS is loaded once. */
function loadClerk() {
  if (clerk) { return Promise.resolve(); }
  if (window.Clerk) { return start(); }
  return load(me.script, { 'data-clerk-publishable-key': me.key, 'data-clerk-proxy-url': me.proxy }).then(start);
}
/* A new token for the session of this page, or for the one that another tab has begun since. */
function renew() {
  /* A satellite's ClerkJS would lead away from here, to its primary domain. There, a handshake in a frame renews. */
  if (me.satellite) { return visit(here + 'renew-frame', PATIENCE); }
  return loadClerk().then(function () {
    if (!clerk || !clerk.session) { return null; }
    return clerk.session.getToken({ skipCache: true }).catch(function () { return null; });
  }).then(function (token) {
    if (token || !clerk) { return; }
    return clerk.client.reload().then(function () {
      var found = clerk.client.sessions.filter(function (one) { return one.status === 'active'; });
      var last = found.filter(function (one) { return one.id === clerk.client.lastActiveSessionId; })[0] || found[0];
      return last && clerk.setActive({ session: last.id });
    });
  });
}
function status() {
  return fetch(here + 'status.json', { credentials: 'same-origin', cache: 'no-store' }).then(function (answer) {
    if (!answer.ok) { throw new Error('status ' + answer.status); }
    return answer.json();
  });
}
function name(id) {
  var user = clerk && clerk.user;
  if (!user || user.id !== id) { return 'another account'; }
  return (user.primaryEmailAddress && user.primaryEmailAddress.emailAddress) || user.username || user.fullName || 'another account';
}
function askSignIn() {
  say('Please sign in to send your form', form
    ? 'You have been signed out. What you entered is kept in this page: leave it open, and sign in in another tab. '
      + 'Your form is sent as soon as you are signed in.'
    : 'You have been signed out. Sign in in another tab first, then come back to this one.');
  waiting = true;
  offer('Sign in', me.signIn, 'main');
  offer('I have signed in', function () { check(false); }, 'plain');
}
function askWho(id) {
  say('Send this form as ' + name(id) + '?', 'You were signed in to another account when you filled it in. '
    + 'Nothing has been sent yet.');
  chosen = id;
  button('Yes, send it');
  offer('Use the other account', here + 'sign-out?redirect_url='
    + encodeURIComponent(new URL(here).pathname + 'sign-in?redirect_url=' + encodeURIComponent(new URL(here).pathname + 'signed-in')), 'plain');
}
function refused(heading, words) {
  say(heading, words + ' What you entered is still in this page.');
  button('Send the form again');
}
function back() {
  say('', 'You are signed in again now.');
  offer('Back to the form', function () { history.back(); }, 'main');
}
/* @param pressed whether the button was pressed, so that the form is sent even if the server may refuse it again */
function decide(said, pressed) {
  if (said.signedIn && said.userId !== me.user && said.userId !== (pressed && chosen) && form) { askWho(said.userId); return; }
  if (!said.signedIn && !(clerk && clerk.session)) { askSignIn(); return; }
  if (!form) {
    if (said.signedIn) { back(); } else { askSignIn(); }
    return;
  }
  if (pressed) { go(); return; }
  if (!said.signedIn) {
    refused('Your form has not been sent yet', 'You are signed in, but this site does not accept it. If that lasts, the clock of its server may be wrong: please tell '
      + 'whoever runs this site.');
    return;
  }
  if (justSent(true)) {
    refused('Your form came back', 'It was sent a moment ago, but this site asked for a new session once more.');
    return;
  }
  go();
}
function check(pressed) {
  if (busy || sent) { return; }
  busy = true;
  say('One moment, please', form ? 'Your session has expired and is being renewed. What you entered is kept in this page, and is sent then.'
    : 'Your session has expired and is being renewed.');
  /* ClerkJS itself tries for a while. */
  var late = setTimeout(function () {
    say('One moment, please', 'The sign-in service has not answered yet.' + (form ? ' What you entered is still in this page.' : ''));
  }, PATIENCE);
  function done() {
    clearTimeout(late);
    busy = false;
  }
  renew().then(status).then(function (said) {
    done();
    decide(said, pressed);
  }).catch(function () {
    done();
    say('The sign-in service cannot be reached', form ? 'What you entered is still in this page. Please try again in a moment.'
      : 'Please try again in a moment.');
    offer('Try again', function () { check(false); }, 'main');
  });
}
if (form) {
  listen.call(form, 'submit', function (event) {
    event.preventDefault();
    sent = false;
    check(true);
  });
}
/* The browser shows this page again: what was sent is not sent twice by itself. */
window.addEventListener('pageshow', function (event) {
  if (event.persisted && sent) {
    say('This form has been sent', 'You came back to the page that kept it for you.');
    button('Send it once more');
  }
});
document.addEventListener('visibilitychange', function () {
  if (waiting && !document.hidden) { check(false); }
});
var channel = signInChannel();
if (channel) { channel.onmessage = function () { check(false); }; }
check(false);
