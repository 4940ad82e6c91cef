/** A plan inside a link: compressed, in the fragment, which no server is sent. */

const NAME = 'song='
const LONGEST = 200_000

/** The fragment of a link to a plan, which is JSON or TOML. */
export async function fragmentFromPlan(plan: string): Promise<string> {
  const packed = await through(new TextEncoder().encode(plan), new CompressionStream('deflate-raw'))
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(''))
  return `#${NAME}${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** The plan of a fragment; null where there is none, or it is damaged or far too long. */
export async function planFromFragment(fragment: string): Promise<string | null> {
  const given = fragment.replace(/^#/, '')
  if (!given.startsWith(NAME) || given.length > LONGEST) return null
  try {
    const text = atob(given.slice(NAME.length).replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0))
    const plan = await through(bytes, new DecompressionStream('deflate-raw'), LONGEST)
    return new TextDecoder('utf-8', { fatal: true }).decode(plan)
  } catch {
    return null
  }
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  most = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let size = 0
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    size += value.length
    // A small link must not fill the memory.
    if (size > most) throw new Error('too long')
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
