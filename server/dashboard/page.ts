// The HTML page, and the one for paths that do not exist. Everything on the first is drawn by the script; without scripts it refers to the API.

/** @param base in front of every path, such as `/ota`; empty: none */
export const pageAt = (base: string): string => `${headOf("Skyslot", base)}
<body>
<div id="app" data-base="${base}"></div>
<noscript>This page needs JavaScript. The same data is at <a href="${base}/api/devices">/api/devices</a>.</noscript>
<script src="${base}/dashboard/client.js" defer></script>
</body>
</html>
`;

/** Most of a path that is shown; longer ones are not typed by a person. */
const MAX_SHOWN_LENGTH = 200;

/** What a browser shows for a path that does not exist. It has no script. @param base as above */
export const notFoundPageAt =
  (base: string) =>
  (path: string): string =>
    `${headOf("Page not found · Skyslot", base)}
<body>
<main class="sign-in">
<div class="card">
<p class="brand">Skyslot</p>
<h1>Page not found</h1>
<p>There is nothing at <code>${escaped(path.slice(0, MAX_SHOWN_LENGTH))}</code>.</p>
<p><a href="${base}/">Go to the dashboard</a></p>
</div>
</main>
</body>
</html>
`;

/** For text between tags. */
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const headOf = (title: string, base: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%232f6df6'/%3E%3Cpath d='M16 6l8 9h-5v10h-6V15H8z' fill='white'/%3E%3C/svg%3E">
<link rel="stylesheet" href="${base}/dashboard/client.css">
</head>`;
