<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

page('Admin', '/admin/', static function (): void { ?>
<p class="lead">You hold the role <strong><?= e(server('CLERK_ORG_ROLE')) ?></strong>
in <strong><?= e(server('CLERK_ORG_SLUG')) ?></strong>.</p>
<h2>Your permissions</h2>
<ul>
<?php foreach (array_filter(explode(',', server('CLERK_ORG_PERMISSIONS'))) as $permission): ?>
  <li><code><?= e($permission) ?></code></li>
<?php endforeach ?>
</ul>
<?php });
