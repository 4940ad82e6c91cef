// Keeps the page's own files, so that it opens without its server and says so in its own words.
// What the server says of music is never kept.
const CACHE = 'sonoriff-shell'
const root = new URL('./', self.location.href)

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== root.origin) return
  if (request.mode === 'navigate' && url.pathname === root.pathname) {
    event.respondWith(page(request))
  } else if (url.pathname.startsWith(`${root.pathname}assets/`)) {
    event.respondWith(file(request))
  }
})

/** The newest page, or where there is no server the last one. */
async function page(request) {
  const cache = await caches.open(CACHE)
  try {
    const answer = await fetch(request)
    if (answer.ok) keep(cache, answer.clone())
    return answer
  } catch (error) {
    const kept = await cache.match(root.href)
    if (kept) return kept
    throw error
  }
}

/** Keep a page; a new one has files of other names, and the old ones go. */
async function keep(cache, answer) {
  const text = await answer.clone().text()
  const before = await cache.match(root.href)
  if (before && (await before.text()) !== text) {
    for (const key of await cache.keys()) await cache.delete(key)
  }
  await cache.put(root.href, answer)
}

/** A file whose name says its content. */
async function file(request) {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) await cache.put(request, answer.clone())
  return answer
}
