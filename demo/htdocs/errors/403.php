<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

http_response_code(403);
page('Not for this account', '', static function (): void { ?>
<p class="lead">You are signed in as <strong><?= e(server('REMOTE_USER')) ?></strong>
(<?= e(membership()) ?>), and that is not enough for <code><?= e(server('REDIRECT_URL')) ?></code>.</p>
<p>Signing in again with the same account would not help, so the answer is 403 and not a sign-in page.
Sign out and sign in as another user, or choose another organization.</p>
<?php });
