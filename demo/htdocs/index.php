<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../lib/page.php';

page(signed_in() ? 'Hello, ' . server('REMOTE_USER') : 'Hello, stranger', '/', static function (): void { ?>
<p class="lead">This page is open to everybody: <code>Require clerk-optional</code>.
<?= signed_in() ? 'The web server recognized you on the way.' : 'You are not signed in.' ?></p>
<ul class="cards">
  <li><a href="/members/"><h2>Members</h2><p>Anyone who is signed in.</p><code>Require valid-user</code></a></li>
  <li><a href="/admin/"><h2>Admin</h2><p>The admin role in the active organization.</p><code>Require clerk-role admin</code></a></li>
  <li><a href="/org/"><h2>Acme</h2><p>Members of one organization.</p><code>Require clerk-org acme</code></a></li>
  <li><a href="/received/"><h2>Received</h2><p>The variables this application got.</p><code>Require clerk-optional</code></a></li>
</ul>
<?php });
