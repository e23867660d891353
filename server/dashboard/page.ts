// The HTML page. Everything is drawn by the script; without scripts it refers to the API.

/** @param base in front of every path, such as `/ota`; empty: none */
export const pageAt = (base: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Skyslot</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%232f6df6'/%3E%3Cpath d='M16 6l8 9h-5v10h-6V15H8z' fill='white'/%3E%3C/svg%3E">
<link rel="stylesheet" href="${base}/dashboard/client.css">
</head>
<body>
<div id="app" data-base="${base}"></div>
<noscript>This page needs JavaScript. The same data is at <a href="${base}/api/devices">/api/devices</a>.</noscript>
<script src="${base}/dashboard/client.js" defer></script>
</body>
</html>
`;
