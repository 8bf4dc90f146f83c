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

/** Where the sign-out link leads: to the emulator; "" where there is none and Clerk's account portal has to do. */
function sign_out_url(): string
{
    $base = server('DEMO_SIGN_OUT_URL');
    if ($base === '') {
        return '';
    }
    $home = 'http://' . server('HTTP_HOST') . '/';

    return $base . '?' . http_build_query(['redirect_url' => $home, 'session_id' => server('CLERK_SESSION_ID')]);
}

/** The frame around a page; $body prints the middle. */
function page(string $title, string $current, callable $body): void
{
    header('Content-Type: text/html; charset=utf-8');
    header('Cache-Control: no-store');
    $links = ['/' => 'Home', '/members/' => 'Members', '/admin/' => 'Admin', '/org/' => 'Acme', '/received/' => 'Received'];
    require __DIR__ . '/layout.php';
}
