<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

http_response_code(401);
page('Please sign in', '', static function (): void { ?>
<p class="lead"><code><?= e(server('REDIRECT_URL')) ?></code> is for people who are signed in.</p>
<p>A browser opening a page would have been sent to sign in. This request did not look like one
(a script, an image, a form post, or a tool), so it got a plain 401.</p>
<p><a class="button" href="/members/">Sign in</a></p>
<?php });
