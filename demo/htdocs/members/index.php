<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

page('Members', '/members/', static function (): void { ?>
<p class="lead">You are signed in as <strong><?= e(server('REMOTE_USER')) ?></strong> (<?= e(membership()) ?>).</p>
<p>This line came from <code>REMOTE_USER</code>, as it would with Basic authentication.</p>
<?php });
