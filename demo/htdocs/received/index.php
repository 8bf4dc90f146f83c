<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

/** The identity as the application got it; credentials are never among these names. */
function received(): array
{
    $wanted = static fn (string $name): bool =>
        in_array($name, ['REMOTE_USER', 'AUTH_TYPE'], true) || str_starts_with($name, 'CLERK_');
    $variables = array_filter($_SERVER, static fn (string $name): bool => $wanted($name), ARRAY_FILTER_USE_KEY);
    ksort($variables);

    return array_map(static fn (mixed $value): string => is_scalar($value) ? (string) $value : '', $variables);
}

page('Received', '/received/', static function (): void { ?>
<p class="lead">What the web server told this application about you.</p>
<table>
<thead><tr><th scope="col">Variable</th><th scope="col">Value</th></tr></thead>
<tbody>
<?php foreach (received() as $name => $value): ?>
<tr><th scope="row"><code><?= e($name) ?></code></th><td><?= e($value) ?></td></tr>
<?php endforeach ?>
</tbody>
</table>
<?php if (isset($_SERVER['REMOTE_USER'])): ?>
<p>No token had to be parsed for this, and none is shown: the web server has verified it.</p>
<?php else: ?>
<p>You are not signed in, so there is no name. With the same lines in place, a signed-in visitor's would stand here.</p>
<?php endif ?>
<?php });
