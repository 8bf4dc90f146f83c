/* SPDX-License-Identifier: Apache-2.0 */
/* What the scripts have in common: it comes first in each of them. */
'use strict';

/* @return a promise: fulfilled when the script has run */
function load(url, attributes, nonce) {
  return new Promise(function (done, failed) {
    var script = document.createElement('script');
    script.src = url;
    script.crossOrigin = 'anonymous';
    if (nonce) { script.nonce = nonce; }
    Object.keys(attributes).forEach(function (name) {
      if (attributes[name]) { script.setAttribute(name, attributes[name]); }
    });
    script.onload = done;
    script.onerror = function () { failed(new Error('cannot load ' + url)); };
    document.head.appendChild(script);
  });
}

/* Open a page that nobody sees. @return a promise: fulfilled when it is there, or after `most` milliseconds */
function visit(address, most) {
  return new Promise(function (done) {
    var element = document.createElement('iframe'), limit;
    function end() {
      clearTimeout(limit);
      element.remove();
      done();
    }
    element.hidden = true;
    element.title = '';
    element.setAttribute('aria-hidden', 'true');
    element.src = address;
    element.onload = end;
    limit = setTimeout(end, most);
    document.documentElement.appendChild(element);
  });
}

/* Where a page tells others of this site that somebody has signed in; undefined in browsers without such channels. */
function signInChannel() {
  return window.BroadcastChannel && new BroadcastChannel('clerk-signed-in');
}
