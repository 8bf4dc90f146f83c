<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../lib/page.php';

$commands = programs();
page(signed_in() ? 'Hello, ' . person() : 'Hello, stranger', '/', static function () use ($commands): void { ?>
<p class="lead">This page is open to everybody: <code>Require clerk-optional</code>.
<?= signed_in() ? 'The web server recognized you on the way.' : 'You are not signed in.' ?></p>
<ol class="tour">
  <li><a href="/members/">Sign in.</a> A page for members sends you to Clerk and back: <code>Require valid-user</code></li>
  <li><a href="/received/">See what the application gets.</a> Your name, address, organization and role are variables of
    the request. PHP reads them as it would read those of Basic authentication.</li>
  <li><a href="/admin/">Be refused, or not.</a> This page wants the admin role in your active organization
    (<code>Require clerk-role admin</code>), <a href="/org/">another one</a> wants a member of one organization
    (<code>Require clerk-org acme</code>).</li>
  <li><a href="/notes/">Write for longer than a minute.</a> A session token lives for a minute. Open the form, get a
    coffee, write, save: nothing is lost.</li>
  <li><?php if ($commands !== []): ?><a href="/programs/">Let a program in.</a><?php else: ?>Let a program in.<?php endif ?>
    git, cron jobs and monitoring have no browser. They come with an API key: <code>ClerkAcceptTokens api-key</code></li>
  <li><a href="/clerk-status">Watch the server.</a> Keys, caches and calls to Clerk, for admins of an organization.</li>
  <li><a href="/clerk/sign-out">Sign out.</a> A plain link; the session ends at Clerk, too.</li>
</ol>
<?php });
