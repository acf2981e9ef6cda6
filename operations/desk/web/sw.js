// Keeps the phone's shell, so that it opens without a connection. What the API answers is never kept here.
//
// A new version is fetched whole before the old one is dropped: a phone that dies, or loses its connection,
// between any two lines has one whole shell, the old or the new.
importScripts("/shell.js"); // self.SHELL = { version, files }

const CACHE = `taishi-${self.SHELL.version}`;

self.addEventListener("install", (event) => {
  const fresh = self.SHELL.files.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => names.filter((name) => name.startsWith("taishi-") && name !== CACHE));
  event.waitUntil(old.then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin || pathname.startsWith("/api/")) return;
  event.respondWith(
    caches.open(CACHE).then(async (cache) => (await cache.match(pathname)) ?? fetch(event.request)),
  );
});
