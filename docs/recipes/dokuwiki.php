<?php
/** DokuWiki's users are Clerk's: lib/plugins/authclerk/auth.php, with $conf['authtype'] = 'authclerk'. */
defined('DOKU_INC') || exit;
class auth_plugin_authclerk extends DokuWiki_Auth_Plugin
{
    const PAGES = '/clerk'; // ClerkPages
    const ORG = 'org_2abcdefghijklmnopqrstuvwxyz'; // whose roles count: anybody can be admin of an organization of their own
    const GROUPS = array('org:admin' => array('admin', 'user'), 'org:member' => array('user'));

    public function __construct()
    {
        parent::__construct();
        $this->cando['external'] = true;
        $this->cando['logout'] = true;
    }

    /** Whoever httpd says is signed in, and nobody else: what a form or cookie says does not count. */
    public function trustExternal($user, $pass, $sticky = false)
    {
        global $USERINFO;
        $id = $_SERVER['CLERK_USER_ID'] ?? '';
        $USERINFO = null;
        unset($_SESSION[DOKU_COOKIE]['auth']);
        if ($id === '') { return false; }
        $role = ($_SERVER['CLERK_ORG_ID'] ?? '') === self::ORG ? $_SERVER['CLERK_ORG_ROLE'] ?? '' : '';
        $USERINFO = array('name' => $_SERVER['CLERK_USER_NAME'] ?? $id, 'mail' => $_SERVER['CLERK_USER_EMAIL'] ?? '',
            'grps' => self::GROUPS[$role] ?? array());
        $_SERVER['REMOTE_USER'] = $id;
        $_SESSION[DOKU_COOKIE]['auth'] = array('user' => $id, 'info' => $USERINFO);
        return true;
    }

    public function logOff()
    {
        send_redirect(self::PAGES . '/sign-out?redirect_url=' . rawurlencode(DOKU_BASE));
    }
}
