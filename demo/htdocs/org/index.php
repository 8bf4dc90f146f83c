<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

page('Acme', '/org/', static function (): void { ?>
<p class="lead">Your active organization is <strong><?= e(server('CLERK_ORG_SLUG')) ?></strong>
(<code><?= e(server('CLERK_ORG_ID')) ?></code>).</p>
<p>Any role will do here; a personal account or another organization will not.</p>
<?php });
