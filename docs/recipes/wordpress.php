<?php
/* Plugin Name: Sign-in by mod_auth_clerk. Put into wp-content/mu-plugins/ of a site that wordpress.conf protects. */
defined('ABSPATH') || exit;
const CLERK_PAGES = '/clerk'; // ClerkPages
const CLERK_ORG = 'org_2abcdefghijklmnopqrstuvwxyz'; // whose roles count: anybody can be admin of an organization of their own
const CLERK_ROLES = array('org:admin' => 'administrator', 'org:member' => 'author'); // all others: subscriber

/** The WordPress user of the Clerk user, made at the first visit; its role follows Clerk's. */
function clerk_user() {
    $id = $_SERVER['CLERK_USER_ID'] ?? '';
    if ($id === '') { return 0; }
    $user = get_user_by('login', $id);
    $role = ($_SERVER['CLERK_ORG_ID'] ?? '') === CLERK_ORG ? CLERK_ROLES[$_SERVER['CLERK_ORG_ROLE'] ?? ''] ?? 'subscriber' : 'subscriber';
    if (!$user) {
        $mail = $_SERVER['CLERK_USER_EMAIL'] ?? ''; // that of a user who was here before Clerk stays that user's
        $made = wp_insert_user(array('user_login' => $id, 'user_pass' => wp_generate_password(64), 'role' => $role,
            'user_email' => email_exists($mail) ? '' : $mail, 'display_name' => $_SERVER['CLERK_USER_NAME'] ?? $id));
        $user = is_wp_error($made) ? get_user_by('login', $id) : get_user_by('id', $made);
    }
    if (!$user || $user->user_login !== $id) { return 0; } // MySQL finds names in any case
    if ($user->roles !== array($role)) { $user->set_role($role); }
    $GLOBALS['wp_rest_auth_cookie'] = true; // the REST API must ask for a nonce: browsers send Clerk's cookie by themselves
    return $user->ID;
}
add_filter('determine_current_user', 'clerk_user', PHP_INT_MAX);
function auth_redirect() {
    if (is_user_logged_in()) { return; }
    if (($_SERVER['CLERK_USER_ID'] ?? '') !== '') { wp_die('WordPress has no user for you.', '', 403); } // signing in would not help
    wp_redirect(wp_login_url());
    exit;
}

/** Signing in and out is Clerk's. Nobody signs in by a password of WordPress. */
function clerk_page($page, $back) { return CLERK_PAGES . $page . '?redirect_url=' . rawurlencode($back ?: home_url('/')); }
add_filter('login_url', function ($url, $back) { return clerk_page('/sign-in', $back); }, 10, 2);
add_filter('logout_url', function ($url, $back) { return clerk_page('/sign-out', $back); }, 10, 2);
add_filter('register_url', function () { return clerk_page('/sign-up', ''); });
add_filter('authenticate', function () { return new WP_Error('clerk', 'Please sign in with Clerk.'); }, PHP_INT_MAX);
add_filter('wp_is_application_passwords_available', '__return_false');
add_filter('xmlrpc_enabled', '__return_false');
