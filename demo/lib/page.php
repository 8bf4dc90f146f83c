<?php
// SPDX-License-Identifier: Apache-2.0
// What every page of the demo shares. Authentication is not here: the web server has done it before PHP starts.

declare(strict_types=1);

/** A variable the web server set for this request, or "" where there is none. */
function server(string $name): string
{
    $value = $_SERVER[$name] ?? '';

    return is_string($value) ? $value : '';
}

/** Text as HTML. */
function e(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

function signed_in(): bool
{
    return server('CLERK_USER_ID') !== '';
}

/** "admin in acme", "personal account" or "". */
function membership(): string
{
    if (!signed_in()) {
        return '';
    }
    $role = preg_replace('/^org:/', '', server('CLERK_ORG_ROLE'));

    return server('CLERK_ORG_ID') === '' ? 'personal account' : $role . ' in ' . server('CLERK_ORG_SLUG');
}

/** The user's name, as far as the server knows it. */
function person(): string
{
    foreach (['CLERK_USER_NAME', 'CLERK_USER_USERNAME', 'CLERK_USER_EMAIL', 'REMOTE_USER'] as $name) {
        if (server($name) !== '') {
            return server($name);
        }
    }

    return '';
}

/** Shell commands that come with an API key; none without a place for them. */
function programs(): array
{
    $repository = 'http://git:$KEY@' . server('HTTP_HOST') . '/git/notes.git';
    $key = server('DEMO_API_KEY_URL') === ''
        ? 'KEY=ak_...   # your own: Account, API keys'
        : 'KEY=$(curl -s ' . escapeshellarg(server('DEMO_API_KEY_URL')) . ')';

    return server('DEMO_GIT') === '' ? [] : [
        $key,
        'git clone "' . $repository . '"',
        'cd notes && date >>visits.txt && git add visits.txt && git commit -m "A visit" && git push',
    ];
}

/** The frame around a page; $body prints the middle. */
function page(string $title, string $current, callable $body): void
{
    header('Content-Type: text/html; charset=utf-8');
    header('Cache-Control: no-store');
    $links = ['/' => 'Home', '/members/' => 'Members', '/admin/' => 'Admin', '/org/' => 'Acme', '/notes/' => 'Notes', '/received/' => 'Received'];
    require __DIR__ . '/layout.php';
}
