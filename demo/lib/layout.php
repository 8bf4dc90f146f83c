<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title><?= e($title) ?> · mod_auth_clerk</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/style.css">
</head>
<body>
<header>
  <a class="brand" href="/">mod_auth_clerk</a>
  <nav aria-label="Main">
<?php foreach ($links as $path => $label): ?>
    <a href="<?= e($path) ?>"<?= $path === $current ? ' aria-current="page"' : '' ?>><?= e($label) ?></a>
<?php endforeach ?>
  </nav>
  <div class="who">
<?php if (signed_in()): ?>
    <span><strong><?= e(person()) ?></strong> <?= e(membership()) ?></span>
    <a class="button" href="/clerk/sign-out">Sign out</a>
<?php else: ?>
    <a class="button" href="/members/">Sign in</a>
<?php endif ?>
  </div>
</header>
<main>
<h1><?= e($title) ?></h1>
<?php $body() ?>
</main>
<footer>Every page is protected by an <code>.htaccess</code> file and nothing else. The PHP code contains no authentication.</footer>
</body>
</html>
