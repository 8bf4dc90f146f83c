<?php
// SPDX-License-Identifier: Apache-2.0

declare(strict_types=1);
require __DIR__ . '/../../lib/page.php';

/** The notes of this user, a file each. A user id has letters, digits and underscores only. */
function notes_file(): string
{
    return server('DEMO_NOTES') . '/' . preg_replace('/\W/', '', server('CLERK_USER_ID')) . '.jsonl';
}

function save_note(string $text): void
{
    $line = json_encode(['at' => gmdate('H:i:s'), 'text' => substr($text, 0, 20000)], JSON_INVALID_UTF8_SUBSTITUTE);
    file_put_contents(notes_file(), $line . "\n", FILE_APPEND | LOCK_EX);
}

/** The last five, newest first. */
function saved_notes(): array
{
    $lines = is_file(notes_file()) ? file(notes_file(), FILE_IGNORE_NEW_LINES) : [];

    return array_map(static fn (string $line): array => json_decode($line, true), array_reverse(array_slice($lines, -5)));
}

if (server('REQUEST_METHOD') === 'POST') {
    // A form of another site comes without the session: its cookies are SameSite=Lax.
    $text = $_POST['note'] ?? '';
    if (is_string($text) && trim($text) !== '') {
        save_note($text);
    }
    header('Location: /notes/', true, 303);
    exit;
}

page('Notes', '/notes/', static function (): void { ?>
<p class="lead">Your session token lives for a minute. Write for longer than that, then save.</p>
<p>While this page is open, a small script of the web server keeps the session fresh
(<code>ClerkInjectScript keep-alive</code>). With scripts switched off the server renews it when you save. And where
neither is possible, the form waits in a page until you are signed in again.</p>
<form method="post" class="note">
  <label for="note">A note</label>
  <textarea id="note" name="note" rows="5" required></textarea>
  <button class="button">Save</button>
</form>
<?php foreach (saved_notes() as $note): ?>
<article class="note"><time><?= e($note['at']) ?> UTC</time><p><?= nl2br(e($note['text'])) ?></p></article>
<?php endforeach ?>
<?php });
