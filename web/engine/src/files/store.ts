/** The model's files: fetched once, kept by the browser, checked by their hash. */
import { FORMAT_VERSION, type About, type StoredFile } from '../model/about'
import type { LoadFile } from '../model/networks'

const CACHE = 'sonoriff-model'

/** How many bytes of all that is needed are there. */
export type OnBytes = (loaded: number, total: number) => void

/** What a page can do without a server, and what it lacks: a line for the person, or null. */
export function whatIsMissing(): string | null {
  if (typeof WebAssembly === 'undefined') {
    return 'This browser has no WebAssembly, which the model needs: allow it, or take another one.'
  }
  const simd = WebAssembly.validate(
    Uint8Array.of(
      ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
      ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
    ),
  )
  if (!simd) return 'This browser has no WebAssembly SIMD, which the model needs: update it.'
  const memory = (navigator as { deviceMemory?: number }).deviceMemory
  if (memory !== undefined && memory < 1) {
    return 'This device has less than 1 GB of memory, which is too little for the model.'
  }
  return null
}

/** `model.json` of a folder. */
export async function loadAbout(folder: string): Promise<About> {
  const about = (await (
    await fetched(new URL('model.json', folder).href, 'no-cache')
  ).json()) as About
  if (about.version !== FORMAT_VERSION) {
    throw new Error('The model was exported by another version of Sonoriff: export it again.')
  }
  return about
}

/** Adds up the bytes of several files. */
export class Progress {
  private readonly loaded = new Map<string, number>()

  constructor(
    private readonly total: number,
    private readonly onBytes: OnBytes,
  ) {}

  at(name: string, bytes: number): void {
    this.loaded.set(name, bytes)
    const sum = [...this.loaded.values()].reduce((all, n) => all + n, 0)
    this.onBytes(sum, this.total)
  }
}

/** Whether a file is fetched only once music plays. */
const isLater = (name: string): boolean => name.startsWith('encoder')

/** Bytes of the model that music needs. */
export const bytesOfModel = ({ files }: About): number =>
  Object.entries(files).reduce((sum, [name, { bytes }]) => sum + (isLater(name) ? 0 : bytes), 0)

/** Loads files of a folder, each named and checked by what `about` says of it. */
export function fileLoader(folder: string, about: About, progress: Progress): LoadFile {
  const open = new Map<string, Promise<ArrayBuffer>>()
  return (name) => {
    let file = open.get(name)
    if (!file) {
      const stored = about.files[name]
      if (!stored) throw new Error(`the model has no file ${name}`)
      file = loadWhole(new URL(name, folder).href, stored, (bytes) => {
        if (!isLater(name)) progress.at(name, bytes)
      })
      open.set(name, file)
      // A file is read once, or by two at the same time; what it became is kept by them.
      void file.catch(() => {}).finally(() => setTimeout(() => open.delete(name), 1000))
    }
    return file
  }
}

/** Have the browser keep what is needed later. */
export async function keepForLater(about: About, load: LoadFile): Promise<void> {
  for (const name of Object.keys(about.files).filter(isLater)) await load(name)
}

/** Forget what lies beside files that are needed, and is of another version. */
export async function forgetOthers(
  needed: (readonly [address: string, stored: StoredFile])[],
): Promise<void> {
  const known = new Set(needed.map(([address, { sha256 }]) => keptAs(address, sha256)))
  const folders = needed.map(([address]) => new URL('.', address).href)
  const cache = await opened()
  for (const { url } of (await cache?.keys()) ?? []) {
    const beside = folders.includes(new URL('.', url).href)
    if (beside && !known.has(url)) await cache?.delete(url)
  }
}

/** An address that says the content too: under it the browser keeps it. */
const keptAs = (url: string, sha256: string): string => `${url}?${sha256.slice(0, 16)}`

/** A file's bytes, from the browser's own store or else from its address, checked. */
export async function loadWhole(
  address: string,
  stored: StoredFile,
  onBytes: (loaded: number) => void,
): Promise<ArrayBuffer> {
  const url = keptAs(address, stored.sha256)
  const cache = await opened()
  const kept = await cache?.match(url)
  if (kept) {
    const data = await kept.arrayBuffer()
    if (await isWhole(data, stored)) {
      onBytes(data.byteLength)
      return data
    }
    await cache?.delete(url)
  }
  let data = await withProgress(await fetched(url), onBytes)
  if (!(await isWhole(data, stored))) {
    // The browser may have kept what was damaged on the way.
    data = await withProgress(await fetched(url, 'reload'), onBytes)
  }
  if (!(await isWhole(data, stored))) {
    const name = new URL(address).pathname.split('/').at(-1)
    throw new Error(
      `The file ${name} is damaged: ${data.byteLength} of ${stored.bytes} bytes came, or others ` +
        'than were exported. Load the page again.',
    )
  }
  // Where there is no room the file is fetched again next time.
  await cache?.put(url, new Response(data)).catch(() => {})
  return data
}

async function fetched(url: string, cache: RequestCache = 'default'): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(url, { cache })
  } catch {
    throw new Error('The model cannot be reached: there is no connection.')
  }
  if (!answer.ok) throw new Error(`The model cannot be loaded: ${url} answered ${answer.status}.`)
  return answer
}

async function withProgress(
  answer: Response,
  onBytes: (loaded: number) => void,
): Promise<ArrayBuffer> {
  if (!answer.body) return answer.arrayBuffer()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let loaded = 0
  for await (const part of answer.body) {
    parts.push(part)
    loaded += part.length
    onBytes(loaded)
  }
  return new Blob(parts).arrayBuffer()
}

/** Kept files; null where the browser keeps none. */
async function opened(): Promise<Cache | null> {
  try {
    return await caches.open(CACHE)
  } catch {
    return null
  }
}

/** Whether bytes are those that were exported. Only secure pages can compute a hash. */
async function isWhole(data: ArrayBuffer, stored: StoredFile): Promise<boolean> {
  if (data.byteLength !== stored.bytes) return false
  if (!globalThis.crypto?.subtle) return true
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data))
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex === stored.sha256
}
