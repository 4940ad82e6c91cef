import { crc32 } from './crc'

const HEAD_BYTES = 8 + 25 // signature and IHDR
const KEY = 'sonoriff'

/** A PNG file with a text that says what its pixels mean; `sonoriff` reads it. */
export async function withText(png: Blob, text: string): Promise<Blob> {
  const chunk = textChunk(new TextEncoder().encode(text))
  return new Blob([png.slice(0, HEAD_BYTES), chunk, png.slice(HEAD_BYTES)], { type: 'image/png' })
}

/** An iTXt chunk: keyword, no compression, no language, UTF-8. */
function textChunk(text: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(`iTXt${KEY}\0\0\0\0\0`)
  const body = new Uint8Array([...name, ...text])
  const chunk = new Uint8Array(body.length + 8)
  const view = new DataView(chunk.buffer)
  view.setUint32(0, body.length - 4)
  chunk.set(body, 4)
  view.setUint32(body.length + 4, crc32(body))
  return chunk
}
