<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

page('Programs', '', static function (): void { ?>
<p class="lead">A program has no browser to sign in with. It comes with an API key of Clerk's.</p>
<p>git can send nothing but a password, so the key is the password (<code>ClerkAcceptBasic On</code>). In a shell:</p>
<pre><?= e(implode("\n", programs())) ?></pre>
<p>The web server asks Clerk about the key once a minute. What comes with another kind of credential is refused
without a question.</p>
<?php });
