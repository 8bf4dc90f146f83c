<?php
/** MediaWiki's users are Clerk's. For a wiki that mediawiki.conf protects: required at the end of LocalSettings.php. */
defined('MEDIAWIKI') || exit;

use MediaWiki\Auth\AuthManager;
use MediaWiki\MediaWikiServices;
use MediaWiki\Session\{SessionInfo, SessionManager, SessionProvider, UserInfo};
use MediaWiki\User\UserNameUtils;

class SessionsOfClerk extends SessionProvider
{
    const PAGES = '/clerk'; // ClerkPages
    const ORG = 'org_2abcdefghijklmnopqrstuvwxyz'; // whose roles count: anybody can be admin of an organization of their own
    const GROUPS = array('org:admin' => array('sysop', 'bureaucrat', 'interface-admin')); // of each role
    const CLERKS = array('sysop', 'bureaucrat', 'interface-admin', 'suppress'); // Clerk's alone to give: who had them keeps none

    private static $name;

    private static function clerk($name) { return $_SERVER["CLERK_$name"] ?? ''; }
    private static function database($which) { return MediaWikiServices::getInstance()->getDBLoadBalancer()->getConnection($which); }

    /** Whoever httpd says is signed in, and nobody else. Neither a cookie nor a password of MediaWiki's counts. */
    public function provideSessionInfo($request)
    {
        $id = self::clerk('USER_ID');
        if ($id === '') { return null; }
        $known = self::find($id);
        $user = $known ? UserInfo::newFromId($known, true) : UserInfo::newFromName(self::newName($id), true); // MediaWiki makes it
        self::$name = $user->getName();
        return new SessionInfo(SessionInfo::MAX_PRIORITY, array('provider' => $this, 'id' => $this->hashToSessionId($id),
            'userInfo' => $user, 'persisted' => true, 'forceUse' => true));
    }

    /** Of a visitor. */
    public function newSessionInfo($id = null)
    {
        return new SessionInfo($this->priority, array('provider' => $this, 'id' => $id, 'idIsSafe' => true,
            'userInfo' => UserInfo::newAnonymous()));
    }

    public function persistsSessionId() { return false; }
    public function canChangeUser() { return false; }
    public function persistSession($session, $request) {}
    public function unpersistSession($request) {}

    public function preventSessionsForUser($name)
    {
        $user = MediaWikiServices::getInstance()->getUserIdentityLookup()->getUserIdentityByName($name);
        $db = self::database(DB_PRIMARY);
        $these = 'up_property' . $db->buildLike('clerk-', $db->anyString());
        if ($user) { $db->delete('user_properties', array('up_user' => $user->getId(), $these), __METHOD__); }
    }

    /** The wiki's user of a Clerk user, or 0. Clerk's id leads to it, not a name: names change, and are free for others then. */
    private static function find($id)
    {
        foreach (array(DB_REPLICA, DB_PRIMARY) as $which) {
            $found = self::database($which)->selectField('user_properties', 'up_user', array('up_property' => "clerk-$id"), __METHOD__);
            if ($found) { return (int) $found; }
        }
        return 0;
    }

    /** For somebody new: what ClerkRemoteUser says, otherwise the profile, as far as MediaWiki allows it; with a number if it is taken. */
    private static function newName($id)
    {
        $remote = $_SERVER['REMOTE_USER'] ?? $id;
        $wish = $remote !== $id ? $remote : (self::clerk('USER_USERNAME') ?: self::clerk('USER_NAME'));
        $wish = preg_replace('/@.*/s', '', $wish); // nobody's address is published
        $wish = preg_replace('/[^\p{L}\p{M}\p{N}.\'()-]+/u', ' ', Normalizer::normalize($wish) ?: '');
        $services = MediaWikiServices::getInstance();
        foreach (array(trim(mb_substr($wish, 0, 60)), $id) as $base) {
            for ($number = 1; $base !== '' && $number < 100; $number++) {
                $name = $services->getUserNameUtils()->getCanonical($number > 1 ? "$base $number" : $base, UserNameUtils::RIGOR_CREATABLE);
                if ($name === false) { break; }
                if (!$services->getUserIdentityLookup()->getUserIdentityByName($name)) { return $name; }
            }
        }
        throw new HttpError(500, 'There is no name left for you.');
    }

    /** Once there is a session. Whoever asked for the same new name at the same moment must not get the other's user. */
    public static function begin()
    {
        $id = self::clerk('USER_ID');
        if ($id === '' || defined('MW_NO_SESSION')) { return; }
        $user = SessionManager::getGlobalSession()->getUser();
        $known = self::find($id);
        if (!$known && !$user->isRegistered()) {
            MediaWikiServices::getInstance()->getAuthManager()->autoCreateUser($user, AuthManager::AUTOCREATE_SOURCE_SESSION, true);
            $known = self::find($id);
        }
        if ($known !== $user->getId()) { throw new HttpError(503, 'Please try again.'); }
    }

    public static function onLocalUserCreated($user, $autocreated)
    {
        $id = self::clerk('USER_ID');
        if ($id === '' || $user->getName() !== self::$name) { return; }
        self::database(DB_PRIMARY)->insert('user_properties',
            array('up_user' => $user->getId(), 'up_property' => "clerk-$id", 'up_value' => '1'), __METHOD__);
        $user->setRealName(self::clerk('USER_NAME'));
        if (self::clerk('USER_EMAIL') !== '') { // verified by Clerk
            $user->setEmail(self::clerk('USER_EMAIL'));
            $user->confirmEmail();
        }
    }

    /** "Restore all default settings" keeps what belongs to Clerk. */
    public static function onSaveUserOptions($user, &$modified, $original)
    {
        $modified = array_filter($modified, function ($option) { return strpos($option, 'clerk-') !== 0; }, ARRAY_FILTER_USE_KEY);
    }

    public static function onUserEffectiveGroups($user, &$groups)
    {
        if (self::$name === null || $user->getName() !== self::$name) { return; }
        $role = self::clerk('ORG_ID') === self::ORG ? self::clerk('ORG_ROLE') : '';
        $groups = array_merge(array_diff($groups, self::CLERKS), self::GROUPS[$role] ?? array());
    }

    private static function page($page, $title, $query = '')
    {
        return self::PAGES . $page . '?redirect_url=' . rawurlencode(($title ?: Title::newMainPage())->getFullURL($query));
    }

    /** MediaWiki has no link where it cannot end a session itself. What Minerva calls "logout" its script would not follow. */
    public static function onMenu($skin, &$links)
    {
        list($key, $text, $page, $icon) = $skin->getUser()->isRegistered()
            ? array($skin->getSkinName() === 'minerva' ? 'sign-out' : 'logout', 'pt-userlogout', '/sign-out', 'logOut')
            : array('login', 'pt-login', '/sign-in', 'logIn');
        $links['user-menu'][$key] = array('text' => $skin->msg($text)->text(), 'icon' => $icon,
            'href' => self::page($page, $skin->getTitle()));
    }

    /** Nor may a script keep back MediaWiki's own link, to Special:UserLogout, which Vector of MediaWiki 1.39 shows all the same. */
    public static function onSkinPageReadyConfig($context, &$config) { $config['selectorLogoutLink'] = ''; }

    public static function onSpecialPageBeforeExecute($special, $subpage)
    {
        $page = array('Userlogin' => '/sign-in', 'CreateAccount' => '/sign-up', 'Userlogout' => '/sign-out')[$special->getName()] ?? null;
        if (!$page) { return true; }
        if ($page === '/sign-in' && self::clerk('USER_ID') !== '' && !$special->getUser()->isRegistered()) {
            throw new HttpError(403, 'The wiki has no user for you.'); // signing in would not help
        }
        $request = $special->getRequest();
        $back = Title::newFromText($request->getText('returnto'));
        $special->getOutput()->redirect(self::page($page, $back, $request->getText('returntoquery')));
        return false;
    }
}

$wgSessionProviders = array(array('class' => SessionsOfClerk::class));
$wgExtensionFunctions[] = 'SessionsOfClerk::begin';
foreach (array('LocalUserCreated', 'SaveUserOptions', 'UserEffectiveGroups', 'SkinPageReadyConfig', 'SpecialPageBeforeExecute') as $hook) {
    $wgHooks[$hook][] = "SessionsOfClerk::on$hook";
}
$wgHooks['SkinTemplateNavigation::Universal'][] = 'SessionsOfClerk::onMenu';
$wgAuthManagerAutoConfig['primaryauth'] = array(); // no passwords
$wgEnableBotPasswords = false;
$wgGroupPermissions['*']['createaccount'] = false;
$wgGroupPermissions['*']['autocreateaccount'] = true;
$wgGroupPermissions['*']['edit'] = false;
$wgObjectCacheSessionExpiry = 86400; // an editor may be open for a day
$wgDisableOutputCompression = true; // ClerkInjectScript cannot read what PHP has compressed; mod_deflate compresses afterwards
$wgCachePages = false; // a browser that signs in or out must not see a page as it was before: MediaWiki would answer 304
