// Keeps the page's own files, so that it opens without its server and says so in its own words.
// What the server says of music is never kept.
const CACHE = 'sonoriff-shell'
// A site without a server says here what it consists of: `sonoriff export web` fills it in.
const KEPT = null
const SITE = KEPT && `sonoriff-site-${KEPT.version}`
const root = new URL('./', self.location.href)

self.addEventListener('install', (event) => event.waitUntil(installed()))
self.addEventListener('activate', (event) => event.waitUntil(activated()))

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== root.origin) return
  if (SITE) {
    if (url.href.startsWith(root.href)) event.respondWith(fileOfSite(request, url))
  } else if (request.mode === 'navigate' && url.pathname === root.pathname) {
    event.respondWith(page(request))
  } else if (url.pathname.startsWith(`${root.pathname}assets/`)) {
    event.respondWith(file(request))
  }
})

/** Keep a site as a whole, so that its files are of one version. */
async function installed() {
  if (SITE) {
    const cache = await caches.open(SITE)
    await cache.addAll(KEPT.files.map((name) => new Request(name, { cache: 'no-cache' })))
  }
  await self.skipWaiting()
}

async function activated() {
  const names = SITE ? await caches.keys() : []
  const old = names.filter((name) => name.startsWith('sonoriff-site-') && name !== SITE)
  await Promise.all(old.map((name) => caches.delete(name)))
  await self.clients.claim()
}

/** A file of the site as it was kept; the engine keeps those with a query itself. */
async function fileOfSite(request, url) {
  const bare = request.mode === 'navigate' ? url.origin + url.pathname : url.href
  const kept = await (await caches.open(SITE)).match(bare)
  return kept ?? fetch(request)
}

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
